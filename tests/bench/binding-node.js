// SPDX-License-Identifier: MIT
// What a call of the Node.js binding costs, in ns, beside Date.now() and process.hrtime.bigint() in the
// same run.
//
// usage: binding-node.js PACKAGE_DIR MAKE_PAGE
'use strict';

const {execFileSync} = require('child_process');
const fs = require('fs');
const os = require('os');
const path = require('path');

const [package_dir, make_page] = process.argv.slice(2);
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'chronotick-bench-'));
const page = path.join(folder, 'page');
const CALLS = 5000, ROUNDS = 400;
const LIMIT_NS = 120;
// Of process.hrtime.bigint(): for a machine where that one takes longer than elsewhere
const LIMIT_RATIO = 2.5;

process.on('exit', () => fs.rmSync(folder, {recursive: true}));
execFileSync(make_page, ['trusted', page]);
process.env.CHRONOTICK_PAGE = page;
const chronotick = require(path.resolve(package_dir));
const clock = new chronotick.Clock();

const calls = {
  'process.hrtime.bigint()': process.hrtime.bigint,
  'Date.now()': Date.now,
  'chronotick.now()': chronotick.now,
  'chronotick.interval()': chronotick.interval,
  'clock.now()': clock.now,
  'clock.counter()': clock.counter,
  'clock.read()': clock.read,
  'clock.record()': clock.record,
};
const best = {};
let sink;

// In turn, round for round, so that all of them meet the same load; the best of short rounds is that of
// a moment in which nothing else ran.
for (let round = 0; round < ROUNDS; round++) {
  for (const [name, call] of Object.entries(calls)) {
    const start = process.hrtime.bigint();
    for (let i = 0; i < CALLS; i++) sink = call();
    const took = Number(process.hrtime.bigint() - start) / CALLS;
    best[name] = Math.min(best[name] || Infinity, took);
  }
}
const base = best['process.hrtime.bigint()'];
for (const [name, took] of Object.entries(best)) {
  console.log(`${name.padEnd(24)} ${took.toFixed(1).padStart(8)} ns  ` +
              `${(took / base).toFixed(2).padStart(6)} of process.hrtime.bigint()`);
}
const stamps = BigUint64Array.from({length: 1000}, clock.counter);
let batch = Infinity;
for (let round = 0; round < ROUNDS; round++) {
  const start = process.hrtime.bigint();
  sink = clock.atBatch(stamps);
  batch = Math.min(batch, Number(process.hrtime.bigint() - start) / 1000);
}
console.log(`${'atBatch(), a stamp'.padEnd(24)} ${batch.toFixed(1).padStart(8)} ns`);
const now = best['chronotick.now()'];
if (sink === undefined || (now > LIMIT_NS && now / base > LIMIT_RATIO)) {
  console.log(`now() took ${now.toFixed(1)} ns: more than ${LIMIT_NS}, and than ${LIMIT_RATIO} times ` +
              'process.hrtime.bigint()');
  process.exitCode = 1;
}
