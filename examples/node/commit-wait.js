#!/usr/bin/env node
// SPDX-License-Identifier: MIT
// Commit-wait: who sees this transaction sees that its time is past, whatever his clock is.
'use strict';

const chronotick = require('chronotick');

async function main() {
  const commitNs = chronotick.interval().latestNs; // no clock is that late yet
  // ... the transaction's writes, stamped commitNs ...
  const passed = await chronotick.waitUntil(commitNs, {timeoutMs: 10000});
  console.log(`committed at ${commitNs} ns, which is past for certain ` +
              `${passed.utcNs - commitNs} ns later`);
}

main();
