#!/usr/bin/env node
// SPDX-License-Identifier: MIT
// Which of two events on two machines came first? Each machine sends the interval of its event as JSON;
// here both are made on this one.
'use strict';

const chronotick = require('chronotick');

async function main() {
  const oneMachine = JSON.stringify(chronotick.interval());
  for (let i = 0; i < 2; i++) { // long enough for the answer to be certain
    await chronotick.waitUntil(chronotick.interval().latestNs);
  }
  const otherMachine = JSON.stringify(chronotick.interval());

  const [first, second] = [oneMachine, otherMachine]
      .map((text) => chronotick.Interval.fromJSON(JSON.parse(text)));
  // Generations of two machines say nothing of each other; TAI does, and both have it.
  if (first.tai === null || second.tai === null) {
    throw new Error('TAI - UTC is not known: times of two machines can\'t be ordered at a leap second');
  }
  const order = chronotick.compare(first, second);
  console.log(order === chronotick.BEFORE ? 'the first came first' :
      order === chronotick.AFTER ? 'the second came first' : 'it can\'t be told');
}

main();
