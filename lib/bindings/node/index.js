// SPDX-License-Identifier: MIT
// UTC with an error bound, from the ChronoTick page. index.d.ts documents what is exported.
'use strict';

const {setTimeout: sleep} = require('timers/promises');
const {constants: {errno: numbers}} = require('os');
const native = require('./native/chronotick.node');

const TAI_UNKNOWN = -32768;
const SECOND_NS = 1000000000n;
// Of a wait, what is left to the thread pool, which sleeps better than the loop
const LAST_NS = 20000000n;
// What is shorter is spun, by so many readings at most.
const SPIN_NS = 50000n;
const SPINS = 2000;
// As long a sleep in the loop at most: the clock may be slewed or stepped meanwhile.
const NAP_MS = 1000;

// Two numbers have a second name, which is not the one that is known.
const codes = new Map(Object.entries(numbers).reverse()
    .filter(([name]) => name !== 'EWOULDBLOCK' && name !== 'EOPNOTSUPP')
    .map(([name, number]) => [number, name]));

class ChronoTickError extends Error {
  constructor(message, code, interval) {
    super(message);
    this.name = new.target.name;
    this.code = code;
    if (interval !== undefined) this.interval = interval;
  }
}

class PageError extends ChronoTickError {}
class NotTrustedError extends ChronoTickError {}

// What the native side throws
function failure(kind, number, text, interval) {
  if (kind === 'closed') return new ChronoTickError(text, 'ERR_CLOSED');
  const Kind = {page: PageError, trust: NotTrustedError}[kind] || ChronoTickError;
  return new Kind(text, codes.get(number) || `E${number}`, interval);
}

class Interval {
  constructor(earliestNs, utcNs, latestNs, generation = 0, statusCode = 2, taiCode = TAI_UNKNOWN,
              error = 0) {
    this.earliestNs = earliestNs;
    this.utcNs = utcNs;
    this.latestNs = latestNs;
    this.generation = generation;
    this.statusCode = statusCode;
    this.taiCode = taiCode;
    this.error = error;
  }

  get status() {
    return native.statusName(this.statusCode);
  }

  get leap() {
    return [0, 1, -1, 0][(this.statusCode >> 8) & 3];
  }

  get trusted() {
    return this.error === 0;
  }

  get reason() {
    return this.error === 0 ? null : native.strerror(-this.error);
  }

  get boundNs() {
    const after = this.latestNs - this.utcNs;
    const before = this.utcNs - this.earliestNs;
    return after > before ? after : before;
  }

  get taiOffsetS() {
    return this.taiCode === TAI_UNKNOWN ? null : this.taiCode;
  }

  get tai() {
    if (this.taiCode === TAI_UNKNOWN) return null;
    const offset = BigInt(this.taiCode) * SECOND_NS;
    return {
      earliestNs: this.earliestNs + offset,
      taiNs: this.utcNs + offset,
      latestNs: this.latestNs + offset,
    };
  }

  // JSON has no BigInt, and its numbers have 53 bits: decimal strings.
  toJSON() {
    return {
      earliest_ns: String(this.earliestNs),
      utc_ns: String(this.utcNs),
      latest_ns: String(this.latestNs),
      generation: this.generation,
      status_code: this.statusCode,
      tai_offset_s: this.taiOffsetS,
      error: this.error,
    };
  }

  static fromJSON(object) {
    const ends = ['earliest_ns', 'utc_ns', 'latest_ns'].map((name) => {
      if (typeof object[name] !== 'string' || !/^-?[0-9]{1,20}$/.test(object[name])) {
        throw new TypeError(`Interval.fromJSON(): ${name} is no decimal string`);
      }
      const value = BigInt(object[name]);
      if (BigInt.asIntN(64, value) !== value) {
        throw new RangeError(`Interval.fromJSON(): ${name} has more than 64 bits`);
      }
      return value;
    });
    if (ends[0] > ends[1] || ends[1] > ends[2]) {
      throw new RangeError('Interval.fromJSON(): earliest_ns <= utc_ns <= latest_ns is needed');
    }
    const number = (name, least, most, other) => {
      const value = object[name] === undefined || object[name] === null ? other : object[name];
      if (!Number.isInteger(value) || value < least || value > most) {
        throw new RangeError(`Interval.fromJSON(): ${name} is out of range`);
      }
      return value;
    };
    return new Interval(...ends, number('generation', 0, 0xffffffff, 0),
                        number('status_code', 0, 0xffff, 2),
                        number('tai_offset_s', -32768, 32767, TAI_UNKNOWN),
                        number('error', -0x7fffffff, 0, 0));
  }
}

native.setup(Interval, failure);

const RECORD_FIELDS = [
  'corrected_timestamp', 'system_timestamp', 'prediction_time', 'offset_correction', 'drift_rate',
  'offset_uncertainty', 'drift_uncertainty', 'valid_until', 'confidence', 'sequence_number',
  'flags', 'source', 'measurement_count', 'last_ntp_sync', 'daemon_uptime', 'total_corrections',
  'average_latency_ms',
];

function recordOf(numbers) {
  const record = {};
  RECORD_FIELDS.forEach((name, i) => {
    record[name] = numbers[i];
  });
  record.source_name = native.sourceName(record.source);
  record.is_valid = (record.flags & 1) !== 0 && Date.now() / 1000 <= record.valid_until;
  record.is_ntp_ready = (record.flags & 2) !== 0;
  record.is_models_ready = (record.flags & 4) !== 0;
  record.is_warmup_complete = (record.flags & 8) !== 0;
  return record;
}

// now() and interval() of a page. It leaves what it has read in a cell, laid out as the library's
// struct chronotick_interval.
function readersOf(page) {
  const {cell, fill} = page;
  const ns = new BigInt64Array(cell, 0, 3);
  const generation = new Uint32Array(cell, 24, 1);
  const status = new Uint16Array(cell, 28, 1);
  const tai = new Int16Array(cell, 30, 1);
  return {
    now() {
      fill();
      return ns[1];
    },
    interval() {
      fill();
      return new Interval(ns[0], ns[1], ns[2], generation[0], status[0], tai[0], 0);
    },
  };
}

function batchOf(page, stamps) {
  if (!(stamps instanceof BigUint64Array)) {
    throw new TypeError('atBatch(): a BigUint64Array of stamps is needed');
  }
  const batch = {
    earliestNs: new BigInt64Array(stamps.length),
    utcNs: new BigInt64Array(stamps.length),
    latestNs: new BigInt64Array(stamps.length),
    results: new Int32Array(stamps.length),
  };
  page.atBatch(stamps, batch.earliestNs, batch.utcNs, batch.latestNs, batch.results);
  return batch;
}

// The latest reading, once utcNs is past if that is soon: to ask a thread takes longer than this.
function spin(interval, utcNs) {
  let reading = interval();
  for (let i = 0; i < SPINS && reading.earliestNs <= utcNs && utcNs - reading.earliestNs < SPIN_NS; i++) {
    reading = interval();
  }
  return reading;
}

async function waitUntil(page, interval, utcNs, {timeoutMs = Infinity, signal} = {}) {
  if (typeof utcNs !== 'bigint' || BigInt.asIntN(64, utcNs) !== utcNs) {
    throw new TypeError('waitUntil(): a BigInt of ns is needed');
  }
  if (typeof timeoutMs !== 'number' || !(timeoutMs >= 0)) {
    throw new TypeError('waitUntil(): timeoutMs is 0 and more');
  }
  const start = performance.now();
  for (;;) {
    if (signal) signal.throwIfAborted();
    const leftMs = timeoutMs - (performance.now() - start);
    const reading = leftMs > 0 ? spin(interval, utcNs) : interval();
    const lackNs = utcNs - reading.earliestNs;
    if (lackNs < 0n) return reading;
    if (leftMs <= 0) throw new ChronoTickError('not before the time-out', 'ETIMEDOUT');
    if (lackNs > LAST_NS) {
      // A number of ns may be too large for a time-out, and for a double to tell exactly.
      const lackMs = lackNs > SECOND_NS ? NAP_MS : Number((lackNs - LAST_NS / 2n) / 1000000n);
      await sleep(Math.min(lackMs, leftMs, NAP_MS), undefined, {signal});
    } else {
      const passed = await page.waitUntil(utcNs, Math.min(leftMs, 50));
      if (passed) return passed;
    }
  }
}

// The functions are the instance's own: each carries the page, which is the quickest way to it.
class Clock {
  constructor(path) {
    const page = native.open(path, false);
    const {now, interval} = readersOf(page);
    this.now = now;
    this.interval = interval;
    this.read = page.read;
    this.within = page.within;
    this.counter = page.counter;
    this.at = page.at;
    this.close = page.close;
    this.reopen = page.reopen;
    this.atBatch = (stamps) => batchOf(page, stamps);
    this.record = () => recordOf(page.record());
    this.waitUntil = (utcNs, options) => waitUntil(page, interval, utcNs, options);
    this.writer = () => {
      const ageNs = page.writer();
      return {alive: ageNs >= 0n, ageNs: ageNs >= 0n ? ageNs : null};
    };
    Object.defineProperty(this, 'closed', {get: page.isClosed, enumerable: true});
    Object.defineProperty(this, 'path', {get: page.pagePath, enumerable: true});
  }
}

function compare(a, b) {
  if (!(a instanceof Interval) || !(b instanceof Interval)) {
    throw new TypeError('compare(): two Intervals are needed');
  }
  // What is not trusted overlaps with everything, wherever its ends come from.
  return a.trusted && b.trusted ? native.compare(a, b) : 0;
}

// The tools of libchronotick-tools, with their schemas.
function listTools() {
  return JSON.parse(native.toolsList()).tools;
}

// What a tool says, as a result of the Model Context Protocol.
async function callTool(name, args = {}, page = undefined) {
  if (typeof args !== 'object' || args === null) {
    throw new TypeError('callTool(): the arguments are an object');
  }
  return JSON.parse(await native.toolsCall(page, String(name), JSON.stringify(args)));
}

// The module's own clock is opened when it is first read, and anew where its page has expired.
const own = native.open(undefined, true);
const {now, interval} = readersOf(own);

const record = () => recordOf(own.record());
const waitUntilOwn = (utcNs, options) => waitUntil(own, interval, utcNs, options);

const BEFORE = -1, OVERLAP = 0, AFTER = 1;

// One name a line and nothing else: so an `import` finds the names, which reads this without running it.
module.exports = {
  AFTER,
  BEFORE,
  ChronoTickError,
  Clock,
  Interval,
  NotTrustedError,
  OVERLAP,
  PageError,
  callTool,
  compare,
  interval,
  listTools,
  now,
  record,
  waitUntil: waitUntilOwn,
};
