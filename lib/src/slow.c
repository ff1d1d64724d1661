/* SPDX-License-Identifier: MIT */
/* All that takes lines the slow way, in one file: it counts torn reads in one place. */
#include <chronotick/chronotick.h>
#include <chronotick/slow.h>
#include <chronotick/batch.h>
#include <chronotick/wait.h>
#include <chronotick/poll.h>
