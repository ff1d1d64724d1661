#!/usr/bin/env node
// SPDX-License-Identifier: MIT
// What is UTC now, and how wrong can that be?
'use strict';

const chronotick = require('chronotick');

try {
  const now = chronotick.interval();
  console.log(`UTC ${now.utcNs} ns, +- ${now.boundNs} ns, ${now.status}`);
} catch (error) {
  if (!(error instanceof chronotick.ChronoTickError)) throw error;
  console.error(`no time: ${error.message}`);
  process.exitCode = 1;
}
