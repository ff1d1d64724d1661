// SPDX-License-Identifier: MIT
// The Node.js binding on pages made by hand: clock, intervals, record, batch, waits, and what hostile
// pages, closed clocks and worker threads do to it.
//
// usage: node --expose-gc binding-node.js PACKAGE_DIR MAKE_PAGE
'use strict';

const assert = require('assert');
const {execFileSync, spawnSync} = require('child_process');
const crypto = require('crypto');
const fs = require('fs');
const os = require('os');
const path = require('path');
const {setTimeout: sleep} = require('timers/promises');
const {Worker, isMainThread, workerData, parentPort} = require('worker_threads');

const [package_dir, make_page] = isMainThread ? process.argv.slice(2) : workerData.args;
const chronotick = require(path.resolve(package_dir));
const {Clock, Interval, NotTrustedError, PageError} = chronotick;

const OFFSET_NS = 1500000n; // how far a page made by hand is ahead of CLOCK_REALTIME
const CLOCK_0 = 128, CLOCK_1 = 192, HEADER = 256;
const sanitized = (process.env.LD_PRELOAD || '').includes('asan');

// A worker reads until it is told to end, and leaves its clock to be found by its end.
if (!isMainThread) {
  const clock = new Clock(workerData.page);
  let reads = 0;
  const timer = setInterval(() => {
    for (let i = 0; i < 1000; i++) reads += clock.now() > 0n ? 1 : 0;
  }, 1);
  clock.waitUntil(clock.now() + 10n ** 12n).catch(() => {});
  parentPort.on('message', () => {
    clearInterval(timer);
    parentPort.postMessage(reads);
  });
  return;
}

const test = require('node:test');
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'chronotick-node-'));
test.after(() => fs.rmSync(folder, {recursive: true}));

function page(state = 'trusted') {
  const file = path.join(folder, state);
  execFileSync(make_page, [state, file]);
  return file;
}

function poke(file, offset, content) {
  const fd = fs.openSync(file, 'r+');
  fs.writeSync(fd, content, 0, content.length, offset);
  fs.closeSync(fd);
}

const systemNs = () => BigInt(Math.round((performance.timeOrigin + performance.now()) * 1e6));
const odd = Buffer.from(Uint32Array.of(3).buffer);

test('the time is the page\'s', () => {
  const clock = new Clock(page());
  const now = clock.now(), interval = clock.interval();
  const distance = now - OFFSET_NS - systemNs();
  // Date and performance are not that exact, the machine's load aside.
  assert(distance > -100000000n && distance < 100000000n, `${distance} ns off`);
  assert(now <= interval.utcNs);
  assert(interval.earliestNs < interval.utcNs && interval.utcNs < interval.latestNs);
  assert.strictEqual(interval.boundNs, interval.latestNs - interval.utcNs);
  assert(interval.boundNs >= 4000n);
  assert(interval instanceof Interval && interval.trusted && interval.reason === null);
  assert.deepStrictEqual([interval.status, interval.generation, interval.leap, interval.taiOffsetS],
                         ['synchronized', 3, 0, 37]);
  assert.strictEqual(interval.tai.taiNs - interval.utcNs, 37000000000n);
  assert.strictEqual(clock.within(1000000000n).status, 'synchronized');
  assert.strictEqual(clock.read().generation, 3);
  assert(clock.writer().alive && clock.writer().ageNs >= 0n);
  const {now: taken} = clock; // needs no `this`
  assert(taken() > now);
});

test('what is not trusted is an error that says why', () => {
  for (const [state, code, status] of [['warming_up', 'EAGAIN', 'warming_up'],
                                       ['unsynchronized', 'EAGAIN', 'unsynchronized'],
                                       ['expired', 'ESTALE', 'expired']]) {
    const clock = new Clock(page(state));
    for (const read of [clock.now, clock.interval]) {
      assert.throws(read, (error) => error instanceof NotTrustedError && error.code === code &&
                    error.interval.status === status && error.name === 'NotTrustedError');
    }
    const shown = clock.read();
    assert.deepStrictEqual([shown.trusted, shown.status], [false, status]);
    assert.throws(clock.now, {message: shown.reason});
  }
  const clock = new Clock(page());
  assert.throws(() => clock.within(10n), (error) => error.code === 'EOVERFLOW' &&
                error.interval.boundNs < 1000000000n);
  assert.throws(() => clock.within(10), TypeError);
  assert.strictEqual(new Clock(page('holdover')).interval().status, 'holdover');
  assert.strictEqual(new Clock(page('holdover')).interval().leap, 1);
  assert.strictEqual(new Clock(page('stopped')).interval().status, 'writer_gone');
  assert.deepStrictEqual(new Clock(page('stopped')).writer(), {alive: false, ageNs: null});
});

test('an import finds every name', async () => {
  const imported = await import(require('url').pathToFileURL(path.join(path.resolve(package_dir), 'index.js')));
  for (const name of Object.keys(chronotick)) assert.strictEqual(imported[name], chronotick[name], name);
  assert.strictEqual(Object.keys(chronotick).length, 15);
});

test('pages that are none', () => {
  const garbage = path.join(folder, 'garbage'), link = path.join(folder, 'link');
  fs.writeFileSync(garbage, crypto.randomBytes(4096));
  const short = page();
  fs.truncateSync(short, 1000);
  const writable = page('holdover');
  fs.chmodSync(writable, 0o666);
  fs.symlinkSync(writable, link);
  for (const [file, code, words] of [
    ['/nonexistent/page', 'ENOENT', /start chronotickd/],
    [garbage, 'EBADMSG', /not a ChronoTick page/],
    [short, 'EBADMSG', /not a ChronoTick page/],
    [page('no_magic'), 'EBADMSG', /not a ChronoTick page/],
    [page('other_boot'), 'EBADMSG', /earlier boot/],
    [page('other_version'), 'EPROTONOSUPPORT', /ABI version/],
    [writable, 'EPERM', /others may write it/],
    [link, 'ELOOP', /symbolic link/]]) {
    assert.throws(() => new Clock(file), (error) => error instanceof PageError &&
                  error.code === code && words.test(error.message) && error.message.includes(file));
  }
  fs.chmodSync(writable, 0o644);
  assert.throws(() => new Clock(5), TypeError);
  assert.throws(() => new Clock('a\0b'), TypeError);
});

test('torn lines and pages gone mad give no time', () => {
  const file = page();
  const clock = new Clock(file);
  poke(file, CLOCK_0, odd); // left half written: the second line is whole
  assert(clock.interval().trusted);
  poke(file, CLOCK_1, odd);
  assert.throws(clock.now, {code: 'ESTALE'});
  poke(file, HEADER, crypto.randomBytes(3840));
  for (let i = 0; i < 100; i++) {
    poke(file, CLOCK_0, crypto.randomBytes(128));
    clock.read();
    clock.writer();
  }
  const hostile = new Clock(page('hostile'));
  hostile.read();
  const record = hostile.record();
  assert(Number.isNaN(record.offset_correction));
  assert.strictEqual(record.source_name, 'unknown');
});

test('the record', () => {
  const record = new Clock(page('distinct_python')).record();
  const wanted = {
    corrected_timestamp: 1.5, system_timestamp: 2.5, prediction_time: 3.5, offset_correction: -4.5,
    drift_rate: 5.5e-6, offset_uncertainty: 6.5e-6, drift_uncertainty: 7.5e-9, valid_until: 8.5,
    confidence: 0.75, sequence_number: 10, flags: 11, source: 12, measurement_count: 13,
    last_ntp_sync: 14.5, daemon_uptime: 15.5, total_corrections: 16, average_latency_ms: 18.5,
    source_name: 'unknown', is_valid: false, is_ntp_ready: true, is_models_ready: false,
    is_warmup_complete: true,
  };
  assert.deepStrictEqual(record, wanted);
});

test('stamps are converted later, one and many', () => {
  const clock = new Clock(page());
  const first = clock.now(), stamp = clock.counter(), last = clock.now();
  assert(first <= clock.at(stamp).utcNs && clock.at(stamp).utcNs <= last);
  assert.throws(() => clock.at(0n), {code: 'ERANGE'});
  for (const wrong of [-1n, 2n ** 64n, 1, '1', undefined]) {
    assert.throws(() => clock.at(wrong), TypeError);
  }
  const stamps = BigUint64Array.from({length: 3000}, clock.counter);
  stamps[7] = 0n;
  const batch = clock.atBatch(stamps);
  assert.strictEqual(batch.results.filter((r) => r !== 0).length, 1);
  assert.strictEqual(batch.results[7], -os.constants.errno.ERANGE);
  for (const i of [0, 1, 1500, 2999]) {
    const {earliestNs, utcNs, latestNs} = clock.at(stamps[i]);
    assert.deepStrictEqual([batch.earliestNs[i], batch.utcNs[i], batch.latestNs[i]],
                           [earliestNs, utcNs, latestNs]);
  }
  assert.strictEqual(clock.atBatch(new BigUint64Array(0)).utcNs.length, 0);
  for (const wrong of [[1n], new BigInt64Array(1), new Float64Array(1), undefined]) {
    assert.throws(() => clock.atBatch(wrong), TypeError);
  }
});

test('which of two came first, also from elsewhere', () => {
  const make = (earliest, utc, latest, rest = {}) =>
    Interval.fromJSON({earliest_ns: earliest, utc_ns: utc, latest_ns: latest, ...rest});
  const a = make('100', '150', '200'), b = make('201', '250', '300');
  assert.strictEqual(chronotick.compare(a, b), chronotick.BEFORE);
  assert.strictEqual(chronotick.compare(b, a), chronotick.AFTER);
  assert.strictEqual(chronotick.compare(a, make('200', '250', '300')), chronotick.OVERLAP);
  assert.strictEqual(chronotick.compare(make('0', '0', '1', {error: -116}), b), chronotick.OVERLAP);
  // On TAI 1 s apart, which UTC cannot tell at a leap second
  assert.strictEqual(chronotick.compare(
      make('100', '100', '100', {generation: 1, tai_offset_s: 37}),
      make('100', '100', '100', {generation: 2, tai_offset_s: 38})), chronotick.BEFORE);
  assert.throws(() => chronotick.compare(a, {}), TypeError);
  const sent = new Clock(page('holdover')).interval();
  assert.deepStrictEqual(Interval.fromJSON(JSON.parse(JSON.stringify(sent))), sent);
  for (const wrong of [{utc_ns: 5}, {utc_ns: '1e5'}, {utc_ns: '99'}, {utc_ns: String(2n ** 63n)},
                       {generation: -1}, {tai_offset_s: 1.5}, {status_code: 70000}, {error: 1}]) {
    assert.throws(() => Interval.fromJSON({earliest_ns: '100', utc_ns: '150', latest_ns: '200',
                                           ...wrong}), /fromJSON/);
  }
});

test('past for certain, with the loop going on', async () => {
  const clock = new Clock(page());
  let ticks = 0;
  const timer = setInterval(() => ticks++, 5);
  const target = clock.interval().latestNs + 200000000n;
  const passed = await clock.waitUntil(target);
  clearInterval(timer);
  assert(passed.earliestNs > target);
  assert(ticks >= 3, `${ticks} turns of the loop in 200 ms`);
  assert((await clock.waitUntil(0n, {timeoutMs: 0})).earliestNs > 0n);
  const far = clock.now() + 10n ** 15n;
  await assert.rejects(clock.waitUntil(far, {timeoutMs: 20}), {code: 'ETIMEDOUT'});
  await assert.rejects(clock.waitUntil(clock.now() + 15000000n, {timeoutMs: 0}),
                       {code: 'ETIMEDOUT'});
  await assert.rejects(clock.waitUntil(far, {signal: AbortSignal.timeout(20)}),
                       (error) => /Abort|Timeout/.test(error.name));
  await assert.rejects(clock.waitUntil(5), TypeError);
  await assert.rejects(clock.waitUntil(2n ** 63n), TypeError);
  await assert.rejects(clock.waitUntil(far, {timeoutMs: -1}), TypeError);
  await assert.rejects(clock.waitUntil(far, {timeoutMs: NaN}), TypeError);
  await assert.rejects(new Clock(page('expired')).waitUntil(0n), NotTrustedError);
  // Far apart and many at a time, near enough to be in the thread pool
  const near = clock.now() + 10000000n;
  const all = await Promise.all(Array.from({length: 50}, () => clock.waitUntil(near)));
  assert(all.every((interval) => interval.earliestNs > near));
});

test('a closed clock is an error for everything, a wait in the pool too', async () => {
  const clock = new Clock(page());
  const near = [1, 2, 3].map(() => clock.waitUntil(clock.now() + 15000000n));
  const far = clock.waitUntil(clock.now() + 10n ** 11n);
  const far_fails = assert.rejects(far, {code: 'ERR_CLOSED'});
  await sleep(1);
  clock.close();
  clock.close();
  assert(clock.closed);
  for (const call of [clock.now, clock.interval, clock.read, clock.counter, clock.record,
                      clock.writer, () => clock.at(1n), () => clock.within(1n),
                      () => clock.atBatch(new BigUint64Array(1))]) {
    assert.throws(call, {code: 'ERR_CLOSED', message: 'the clock is closed'});
  }
  // Those that were in the pool end as if nothing had been; the page was theirs until then.
  for (const outcome of await Promise.allSettled(near)) {
    assert(outcome.status === 'fulfilled' || outcome.reason.code === 'ERR_CLOSED');
  }
  await far_fails;
  clock.reopen();
  assert(clock.interval().trusted);
  const target = clock.now() + 18000000n, last = clock.waitUntil(target);
  try {
    clock.reopen();
    assert(clock.now() > target);
  } catch (error) {
    assert.strictEqual(`${error.name} ${error.code}`, 'ChronoTickError EBUSY');
  }
  await last;
  clock.reopen();
});

test('the module\'s own clock opens when it is needed, and again', () => {
  const file = path.join(folder, 'later');
  const program = `
    const chronotick = require(process.argv[1]), fs = require('fs'), assert = require('assert');
    const [, , file, stale, good] = process.argv;
    for (const read of [chronotick.now, chronotick.interval, chronotick.record]) {
      assert.throws(read, {code: 'ENOENT'});
    }
    fs.renameSync(stale, file);
    for (const read of [chronotick.now, chronotick.interval]) assert.throws(read, {code: 'ESTALE'});
    assert.strictEqual(chronotick.record().measurement_count, 123);
    fs.renameSync(good, file);
    assert(chronotick.now() <= chronotick.interval().utcNs);
    fs.unlinkSync(file);
    assert(chronotick.interval().trusted);
    chronotick.waitUntil(chronotick.now()).then(() => console.log('all well'));`;
  const run = spawnSync(process.execPath,
                        ['-e', program, path.resolve(package_dir), file, page('expired'), page()],
                        {env: {...process.env, CHRONOTICK_PAGE: file}, encoding: 'utf8'});
  assert.strictEqual(run.stdout, 'all well\n', run.stderr);
});

test('worker threads, ended in the middle of it', async () => {
  const file = page();
  for (let round = 0; round < 5; round++) {
    const workers = Array.from({length: 3}, () => new Worker(__filename, {
      workerData: {args: [package_dir, make_page], page: file},
    }));
    const reads = await Promise.all(workers.map((worker) => new Promise((resolve, reject) => {
      worker.once('error', reject);
      worker.once('online', () => setTimeout(() => worker.postMessage('end'), 30));
      worker.once('message', resolve);
    })));
    assert(reads.every((n) => n > 0), `${reads}`);
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
});

test('nothing is left behind', async () => {
  const file = page();
  const mappings = () => fs.readFileSync('/proc/self/maps', 'utf8').split('\n')
      .filter((line) => line.includes(file)).length;
  const collect = async () => {
    for (let i = 0; i < 5; i++) {
      global.gc();
      await sleep(5);
    }
  };
  await collect();
  const before = mappings();
  const descriptors = fs.readdirSync('/proc/self/fd').length;
  for (let i = 0; i < 500; i++) {
    const clock = new Clock(file);
    clock.now();
    if (i % 2) clock.close();
    assert.throws(() => new Clock('/nonexistent'), PageError);
  }
  await collect();
  assert.strictEqual(mappings(), before);
  assert.strictEqual(fs.readdirSync('/proc/self/fd').length, descriptors);
});

test('a million calls leave the memory as it was', async () => {
  const clock = new Clock(page()), stale = new Clock(page('expired'));
  const some = (count) => {
    for (let i = 0; i < count; i++) {
      clock.now();
      clock.interval();
      clock.counter();
      if (i % 10 === 0) {
        clock.read();
        clock.record();
        clock.at(clock.counter());
        assert.throws(stale.now);
      }
    }
  };
  const resident = async () => {
    for (let i = 0; i < 5; i++) {
      global.gc();
      await sleep(5);
    }
    return process.memoryUsage().rss;
  };
  const scale = sanitized ? 50 : 1;
  some(50000 / scale);
  await resident();
  some(50000 / scale);
  const before = await resident();
  some(300000 / scale);
  const grown = (await resident()) - before;
  console.log(`a million calls: ${grown >> 10} KiB resident`);
  // V8's heap moves by itself; a leak of 16 bytes a call would be 16 MB.
  if (!sanitized) assert(grown < 8 << 20);
});

test('readers neither unlink nor write', () => {
  const name = `/dev/shm/chronotick_test_node_${process.pid}`;
  try {
    execFileSync(make_page, ['trusted', name]);
    fs.chmodSync(name, 0o444);
    const before = fs.readFileSync(name);
    const program = `
      const chronotick = require(process.argv[1]);
      chronotick.now(); chronotick.record(); new chronotick.Clock().interval();
      const maps = require('fs').readFileSync('/proc/self/maps', 'utf8').split('\\n')
          .filter((line) => line.includes('chronotick_test_node'));
      require('assert')(maps.length > 0 && maps.every((line) => line.split(' ')[1] === 'r--s'), maps);`;
    for (let i = 0; i < 2; i++) {
      execFileSync(process.execPath, ['-e', program, path.resolve(package_dir)],
                   {env: {...process.env, CHRONOTICK_PAGE: name}});
    }
    assert(before.equals(fs.readFileSync(name)));
  } finally {
    fs.rmSync(name, {force: true});
  }
});
