/* SPDX-License-Identifier: MIT */
#include <chronotick/chronotick.h>
#include <chronotick/record.h>
