/* SPDX-License-Identifier: MIT */
#include <chronotick/chronotick.h>
#include <chronotick/open.h>
