#!/usr/bin/env node
// SPDX-License-Identifier: MIT
// Stamp the turns of a loop as cheaply as can be, and turn the stamps into times afterwards.
'use strict';

const chronotick = require('chronotick');

const TURNS = 10000;
const clock = new chronotick.Clock();
const stamps = new BigUint64Array(TURNS);
for (let turn = 0; turn < TURNS; turn++) stamps[turn] = clock.counter();
// All under one line of the page: what is between two of these is exact to the counter's rate.
const {utcNs, latestNs, results} = clock.atBatch(stamps);
clock.close();

if (results.some((result) => result !== 0)) throw new Error('a time may not be trusted');
const took = utcNs.slice(1).map((later, i) => later - utcNs[i]).sort();
const bound = latestNs.reduce((widest, latest, i) => {
  const half = latest - utcNs[i];
  return half > widest ? half : widest;
}, 0n);
console.log(`${TURNS} turns from ${utcNs[0]} ns on, each to +- ${bound} ns`);
console.log(`a turn took ${took[took.length >> 1]} ns, at most ${took[took.length - 1]} ns`);
