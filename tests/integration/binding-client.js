// SPDX-License-Identifier: MIT
// A long-lived client in JavaScript, for binding-daemon.sh. Each line of its input is a state in which the
// daemon is; it answers "ok", or what is wrong, until "end". The truth is this host's own clock.
//
// usage: node binding-client.js PACKAGE_DIR
'use strict';

const assert = require('assert');
const path = require('path');
const readline = require('readline');

const chronotick = require(path.resolve(process.argv[2]));

const said = async (name, args) => (await chronotick.callTool(name, args)).structuredContent;

const states = {
  async trusted() {
    // Date.now() cuts off what is below a millisecond: the truth is in the one that it names.
    for (let i = 0; i < 20000; i++) {
      const before = BigInt(Date.now()) * 1000000n;
      const {earliestNs, latestNs} = chronotick.interval();
      const after = (BigInt(Date.now()) + 1n) * 1000000n;
      assert(earliestNs <= after && before <= latestNs, `${before} ${earliestNs} ${latestNs} ${after}`);
    }
    const record = chronotick.record();
    assert(record.is_valid && record.measurement_count > 0 && Math.abs(record.offset_correction) < 1e-3);
    const clock = new chronotick.Clock();
    assert(clock.writer().alive);
    const target = clock.interval().latestNs + 50000000n;
    assert((await chronotick.waitUntil(target)).earliestNs > target);
    const told = await said('get_time');
    assert(told.is_valid && told.source === record.source_name, JSON.stringify(told));
    const distance = BigInt(told.utc_ns) - BigInt(Date.now()) * 1000000n;
    assert(distance < 1000000000n && distance > -1000000000n, `${distance} ns off`);
    assert((await said('get_daemon_status')).daemon_running);
    assert((await said('wait_until', {seconds: 0.02})).reached);
    clock.close();
  },
  async killed() {
    assert(chronotick.interval().trusted);
    assert(!new chronotick.Clock().writer().alive);
    assert.strictEqual((await said('get_daemon_status')).status, 'not_running');
  },
  async expired() {
    for (const read of [chronotick.now, chronotick.interval]) assert.throws(read, {code: 'ESTALE'});
    await assert.rejects(chronotick.waitUntil(0n), {code: 'ESTALE'});
    assert(!(await said('get_time')).is_valid);
  },
};

(async () => {
  for await (const line of readline.createInterface({input: process.stdin})) {
    if (line === 'end') process.exit();
    try {
      await states[line.trim()]();
      console.log('ok');
    } catch (error) {
      console.log(`${error.name}: ${error.message}`.replaceAll('\n', ' '));
    }
  }
})();
