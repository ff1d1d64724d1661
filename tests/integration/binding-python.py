#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The Python binding on pages made by hand: clock, intervals, record, batch, the original's API, and
what hostile pages, closed clocks, threads and forks do to it.

usage: binding-python.py MAKE_PAGE STUB    (the package is found by PYTHONPATH; STUB: its _native.pyi)"""
import ast
import ctypes
import errno
import gc
import math
import os
import pickle
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from array import array

import chronotick
import chronotick_shm
from chronotick import Clock, Interval, NotTrustedError, PageError
from chronotick.record import CorrectionSource

MAKE_PAGE, STUB = sys.argv.pop(1), sys.argv.pop(1)
SANITIZED = "asan" in os.environ.get("LD_PRELOAD", "")
OFFSET_NS = 1_500_000  # how far a page made by hand is ahead of CLOCK_REALTIME
CLOCK_0, CLOCK_1, RECORD, SHADOW, HEADER = 128, 192, 0, 384, 256


class Pages(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="chronotick-python-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def page(self, state="trusted"):
        path = os.path.join(self.folder, state)
        subprocess.run([MAKE_PAGE, state, path], check=True)
        return path

    def poke(self, path, offset, content):
        with open(path, "r+b") as page:
            page.seek(offset)
            page.write(content)


class Reading(Pages):
    def test_the_time_is_the_pages(self):
        with Clock(self.page()) as clock:
            before = time.time_ns()
            now, interval = clock.now_ns(), clock.now()
            after = time.time_ns()
            self.assertLess(before + OFFSET_NS - 200_000, now)
            self.assertLess(now, after + OFFSET_NS + 200_000)
            self.assertLessEqual(now, interval.utc_ns)
            earliest, utc, latest = interval
            self.assertEqual((earliest, utc, latest), tuple(interval))
            self.assertEqual(interval.bound_ns, latest - utc)
            self.assertGreaterEqual(interval.bound_ns, 4000)
            self.assertEqual(interval.status, "synchronized")
            self.assertEqual(interval.generation, 3)
            self.assertEqual(interval.tai_offset_s, 37)
            self.assertEqual(interval.tai()[1] - utc, 37_000_000_000)
            self.assertTrue(interval.trusted)
            self.assertIsNone(interval.reason)
            self.assertIn("synchronized", repr(interval))
            self.assertEqual(clock.now_within(10**9).status, "synchronized")
            self.assertRaises(IndexError, lambda: interval[3])

    def test_what_is_not_trusted_is_an_error_that_says_why(self):
        for state, number, status in [("warming_up", errno.EAGAIN, "warming_up"),
                                      ("unsynchronized", errno.EAGAIN, "unsynchronized"),
                                      ("expired", errno.ESTALE, "expired")]:
            with self.subTest(state), Clock(self.page(state)) as clock:
                for read in clock.now, clock.now_ns:
                    with self.assertRaises(NotTrustedError) as caught:
                        read()
                    self.assertEqual(caught.exception.errno, number)
                    self.assertEqual(caught.exception.interval.status, status)
                shown = clock.read()
                self.assertEqual((shown.trusted, shown.status), (False, status))
                self.assertEqual(shown.error, -number)
                self.assertEqual(shown.reason, str(caught.exception))
                self.assertIn(shown.reason, repr(shown))
        with Clock(self.page()) as clock, self.assertRaises(NotTrustedError) as caught:
            clock.now_within(10)
        self.assertEqual(caught.exception.errno, errno.EOVERFLOW)
        self.assertLess(caught.exception.interval.bound_ns, 10**9)

    def test_holdover_and_a_writer_that_is_gone_are_trusted(self):
        with Clock(self.page("holdover")) as clock:
            self.assertEqual((clock.now().status, clock.now().leap), ("holdover", 1))
        with Clock(self.page("stopped")) as clock:
            self.assertEqual(clock.now().status, "writer_gone")
            self.assertFalse(clock.writer()[0])

    def test_pages_that_are_none(self):
        garbage = os.path.join(self.folder, "garbage")
        with open(garbage, "wb") as page:
            page.write(os.urandom(4096))
        short = self.page()
        os.truncate(short, 1000)
        writable = self.page("holdover")
        os.chmod(writable, 0o666)
        link = os.path.join(self.folder, "link")
        os.symlink(writable, link)
        for path, number, word in [
                ("/nonexistent/page", errno.ENOENT, "start chronotickd"),
                (garbage, errno.EBADMSG, "not a ChronoTick page"),
                (short, errno.EBADMSG, "not a ChronoTick page"),
                (self.page("no_magic"), errno.EBADMSG, "not a ChronoTick page"),
                (self.page("other_boot"), errno.EBADMSG, "earlier boot"),
                (self.page("other_version"), errno.EPROTONOSUPPORT, "ABI version"),
                (writable, errno.EPERM, "others may write it"),
                (link, errno.ELOOP, "symbolic link"),
                (self.folder, errno.EBADMSG, "not a ChronoTick page")]:
            with self.subTest(path), self.assertRaises(PageError) as caught:
                Clock(path)
            self.assertEqual(caught.exception.errno, number)
            self.assertIn(word, str(caught.exception))
            self.assertIn(path, str(caught.exception))
            self.assertIsInstance(caught.exception, RuntimeError)
        self.assertRaises(TypeError, Clock, 5)
        self.assertRaises(ValueError, Clock, "a\0b")

    def test_torn_lines_and_pages_gone_mad_give_no_time(self):
        path = self.page()
        with Clock(path) as clock:
            # The first line left half written: the second one is whole.
            self.poke(path, CLOCK_0, struct.pack("=I", 3))
            self.assertTrue(clock.now().trusted)
            self.poke(path, CLOCK_1, struct.pack("=I", 3))
            with self.assertRaises(NotTrustedError) as caught:
                clock.now_ns()
            self.assertEqual(caught.exception.errno, errno.ESTALE)
            self.poke(path, HEADER, os.urandom(3840))
            self.poke(path, CLOCK_0, os.urandom(128))
            for _ in range(100):
                clock.read()
                clock.writer()
                self.poke(path, CLOCK_0, os.urandom(128))
        with Clock(self.page("hostile")) as clock:
            clock.read()
            clock.writer()
            values = clock.record()
            self.assertTrue(math.isnan(values[2]))

    def test_stamps_are_converted_later(self):
        with Clock(self.page()) as clock:
            first, stamp, last = clock.now(), clock.counter(), clock.now()
            self.assertLessEqual(first.utc_ns, clock.at(stamp).utc_ns)
            self.assertLessEqual(clock.at(stamp).utc_ns, last.utc_ns)
            self.assertRaises(OverflowError, clock.at, -1)
            self.assertRaises(OverflowError, clock.at, 2**64)
            self.assertRaises(TypeError, clock.at, 1.5)
            with self.assertRaises(NotTrustedError) as caught:
                clock.at(0)
            self.assertEqual(caught.exception.errno, errno.ERANGE)

    def test_batches(self):
        with Clock(self.page()) as clock:
            for count in 0, 1, 3000:  # with and without the GIL
                stamps = array("Q", (clock.counter() for _ in range(count)))
                batch = chronotick.convert(clock, stamps)
                self.assertEqual([len(part) for part in batch], [count] * 4)
                self.assertEqual(list(batch.results), [0] * count)
                for i in range(0, count, 97):
                    self.assertEqual(tuple(clock.at(stamps[i])),
                                     (batch.earliest_ns[i], batch.utc_ns[i], batch.latest_ns[i]))
            stamps = array("Q", [clock.counter(), 0])
            utc = memoryview(bytearray(16)).cast("q")
            self.assertEqual(clock.at_batch(stamps, None, utc, None, None), -errno.ERANGE)
            self.assertEqual(utc[0], clock.at(stamps[0]).utc_ns)
            self.assertEqual(list(chronotick.convert(clock, stamps).results), [0, -errno.ERANGE])

            foreign = (ctypes.c_uint64 * 2)(*stamps)
            self.assertEqual(chronotick.convert(clock, foreign).utc_ns[0], utc[0])

            def refused(kind, *args):
                self.assertRaises(kind, clock.at_batch, *args)
            refused(TypeError, [1, 2], None, None, None, None)
            refused(TypeError, b"12345678", None, None, None, None)
            refused(TypeError, array("q", [1]), None, None, None, None)
            refused(TypeError, array("d", [1]), None, None, None, None)
            refused(TypeError, stamps, array("d", [0, 0]), None, None, None)
            refused(ValueError, stamps, array("q", [0]), None, None, None)
            refused(TypeError, stamps, None, None, None, array("q", [0, 0]))
            refused(BufferError, stamps, memoryview(bytes(16)).cast("q"), None, None, None)
            strided = memoryview(array("Q", range(8)))[::2]
            refused(BufferError, strided, None, None, None, None)

    def test_order(self):
        earlier = Interval(100, 150, 200)
        later = Interval(201, 250, 300)
        self.assertEqual(chronotick.compare(earlier, later), chronotick.BEFORE)
        self.assertEqual(chronotick.compare(later, earlier), chronotick.AFTER)
        self.assertEqual(chronotick.compare(earlier, Interval(200, 250, 300)), chronotick.OVERLAP)
        untrusted = Interval(0, 0, 1, error=-errno.ESTALE)
        self.assertEqual(chronotick.compare(untrusted, later), chronotick.OVERLAP)
        self.assertEqual(chronotick.compare(later, untrusted), chronotick.OVERLAP)
        # On TAI 1 s apart, which UTC cannot tell at a leap second
        self.assertEqual(chronotick.compare(Interval(100, 100, 100, 1, 2, 37),
                                            Interval(100, 100, 100, 2, 2, 38)), chronotick.BEFORE)
        self.assertRaises(TypeError, chronotick.compare, earlier, (1, 2, 3))
        self.assertRaises(ValueError, Interval, 2, 1, 3)
        self.assertRaises(ValueError, Interval, 1, 2, 3, 0, 70000)
        self.assertRaises(ValueError, Interval, 1, 2, 3, 0, 2, 40000)
        self.assertRaises(OverflowError, Interval, 1, 2, 2**63)
        for generation in -1, 2**32:
            self.assertRaises(ValueError, Interval, 1, 2, 3, generation)
        self.assertEqual(Interval(1, 2, 3, 2**32 - 1).generation, 2**32 - 1)

    def test_an_interval_goes_to_another_machine_and_back(self):
        with Clock(self.page("holdover")) as clock:
            sent = clock.now()
        came = pickle.loads(pickle.dumps(sent))
        for name in ("earliest_ns", "utc_ns", "latest_ns", "generation", "status_code", "leap",
                     "tai_offset_s", "error"):
            self.assertEqual(getattr(sent, name), getattr(came, name))


class Waiting(Pages):
    def test_past_for_certain(self):
        with Clock(self.page()) as clock:
            target = clock.now().latest_ns + 20_000_000
            self.assertGreater(clock.wait_until(target).earliest_ns, target)
            self.assertGreater(clock.wait_until(0, timeout=0).earliest_ns, 0)
            far = clock.now_ns() + 10**12
            start = time.monotonic()
            self.assertRaises(TimeoutError, clock.wait_until, far, timeout=0.02)
            self.assertRaises(TimeoutError, clock.wait_until, far, 0)
            self.assertLess(time.monotonic() - start, 5)
            self.assertRaises(ValueError, clock.wait_until, far, -1)
            self.assertRaises(ValueError, clock.wait_until, far, math.nan)
            self.assertRaises(TypeError, clock.wait_until, far, "1")
        with Clock(self.page("expired")) as clock, self.assertRaises(NotTrustedError):
            clock.wait_until(0)

    def test_others_run_meanwhile_and_a_signal_ends_it(self):
        class Handled(Exception):
            pass

        def handler(*unused):
            raise Handled
        ran = []
        old = signal.signal(signal.SIGALRM, handler)
        self.addCleanup(signal.signal, signal.SIGALRM, old)
        thread = threading.Thread(target=lambda: ran.append(time.monotonic()))
        with Clock(self.page()) as clock:
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            thread.start()
            self.assertRaises(Handled, clock.wait_until, clock.now_ns() + 10**11)
            thread.join()
            self.assertTrue(ran)
            self.assertTrue(clock.now().trusted)

    def test_a_clock_that_is_closed_meanwhile(self):
        clock = Clock(self.page())
        outcome = []

        def wait():
            try:
                clock.wait_until(clock.now_ns() + 10**11)
            except ValueError as error:
                outcome.append(str(error))
        thread = threading.Thread(target=wait)
        thread.start()
        time.sleep(0.05)
        clock.close()
        thread.join(10)
        self.assertEqual(outcome, ["the clock is closed"])


class Handles(Pages):
    def test_a_closed_clock_is_an_error_for_everything(self):
        clock = Clock(self.page())
        clock.close()
        clock.close()
        self.assertTrue(clock.closed)
        for call in (clock.now, clock.now_ns, clock.read, clock.counter, clock.record, clock.writer,
                     clock.__enter__, lambda: clock.at(1), lambda: clock.now_within(1),
                     lambda: clock.wait_until(0), lambda: memoryview(clock),
                     lambda: clock.at_batch(array("Q"), None, None, None, None),
                     lambda: clock.counter_kind):
            with self.assertRaisesRegex(ValueError, "the clock is closed"):
                call()
        clock.reopen()
        self.assertTrue(clock.now().trusted)

    def test_a_view_keeps_the_page_mapped(self):
        clock = Clock(self.page())
        view = memoryview(clock)
        self.assertTrue(view.readonly)
        self.assertEqual(len(view), 4096)
        clock.close()
        del clock
        gc.collect()
        self.assertEqual(view[HEADER:HEADER + 8].tobytes(), struct.pack("=Q", 0x4b434954524e4843))
        with self.assertRaises(TypeError):
            view[0] = 1

    def test_nothing_is_left_behind(self):
        path, garbage = self.page(), self.page("no_magic")

        def left():
            with open("/proc/self/maps", encoding="ascii") as maps:
                return len(os.listdir("/proc/self/fd")), sum(path in line for line in maps)

        before = left()
        for _ in range(2000):
            clock = Clock(path)
            view = memoryview(clock)
            clock.reopen()
            self.assertRaises(PageError, Clock, garbage)
            del clock, view
        self.assertEqual(left(), before)

    def test_threads_and_a_closing_one(self):
        path = self.page()
        errors = []

        def read(clock):
            stamps = array("Q", [clock.counter()] * 2000)
            try:
                while True:
                    clock.now_ns()
                    clock.now()
                    chronotick.convert(clock, stamps)
            except ValueError:
                pass
            except BaseException as error:  # whatever else is what this looks for
                errors.append(error)
        for _ in range(20):
            clock = Clock(path)
            threads = [threading.Thread(target=read, args=(clock,)) for _ in range(4)]
            for thread in threads:
                thread.start()
            time.sleep(0.005)
            clock.close()
            for thread in threads:
                thread.join()
        self.assertEqual(errors, [])

    def test_fork(self):
        clock = Clock(self.page())
        view = memoryview(clock)
        child = os.fork()
        if child == 0:
            try:
                good = clock.now().trusted and clock.wait_until(0).trusted
                clock.close()
                os._exit(0 if good and len(view) == 4096 else 1)
            except BaseException:
                os._exit(2)
        self.assertEqual(os.waitpid(child, 0)[1], 0)
        self.assertTrue(clock.now().trusted)

    def test_a_million_calls_leave_the_memory_as_it_was(self):
        def resident():
            with open("/proc/self/statm", encoding="ascii") as statm:
                return int(statm.read().split()[1]) * os.sysconf("SC_PAGESIZE")

        def some(count):
            for _ in range(count):
                clock.now_ns()
                clock.now()
                chronotick.now_ns()
                clock.read().reason
                try:
                    stale.now()
                except NotTrustedError:
                    pass
            for _ in range(count // 10):
                clock.record()
                clock.at(clock.counter())
                chronotick.read_data(view)
                clock.at_batch(stamps, utc, utc, None, None)
        clock, stale = Clock(self.page()), Clock(self.page("expired"))
        os.environ["CHRONOTICK_PAGE"] = self.page()
        view, stamps, utc = memoryview(clock), array("Q", [1] * 10), array("q", [0] * 10)
        scale = 50 if SANITIZED else 1
        some(10_000)
        before = resident()
        some(200_000 // scale)
        grown = resident() - before
        print(f"a million calls: {grown / 1024:+.0f} KiB resident")
        if not SANITIZED:  # which keep what was freed for a while
            self.assertLess(grown, 1 << 20)


    def test_the_modules_own_clock_opens_when_it_is_needed_and_again(self):
        path = os.path.join(self.folder, "page")
        program = (
            "import chronotick, os, sys\n"
            "path, stale, good = sys.argv[1:]\n"
            "def refused(number):\n"
            "    for read in chronotick.now_ns, chronotick.now:\n"
            "        try:\n"
            "            read()\n"
            "            sys.exit('no error')\n"
            "        except chronotick.ChronoTickError as error:\n"
            "            assert error.errno == number, error\n"
            "refused(2)\n"
            "os.rename(stale, path)\n"
            "refused(116)\n"
            "os.rename(good, path)\n"
            "assert chronotick.now_ns() <= chronotick.now().utc_ns\n"
            "os.unlink(path)\n"
            "assert chronotick.now().trusted\n")
        subprocess.run([sys.executable, "-c", program, path, self.page("expired"), self.page()],
                       check=True, env=dict(os.environ, CHRONOTICK_PAGE=path))


class Original(Pages):
    """The original client library's API."""

    def client(self, state="trusted"):
        client = chronotick_shm.ChronoTickClient(self.page(state))
        self.addCleanup(client.close)
        return client

    def test_get_time(self):
        client = self.client()
        info = client.get_time()
        self.assertEqual(len(info), 7)
        self.assertLess(abs(info.corrected_timestamp - info.system_timestamp - 0.0015), 0.0005)
        self.assertEqual((info.source, info.offset_correction, info.drift_rate),
                         ("ntp", 0.0015, 2.5e-6))
        self.assertAlmostEqual(info.confidence, 0.9, 6)
        self.assertAlmostEqual(info.uncertainty_seconds, 1e-6, 7)
        self.assertTrue(info.interval.trusted)
        self.assertTrue(client.is_daemon_ready())
        os.environ["CHRONOTICK_PAGE"] = self.page()
        self.assertEqual(chronotick.get_current_time().source, "ntp")
        with client:
            pass
        self.assertEqual(client.get_time().source, "ntp")

    def test_get_future_time(self):
        client = self.client()
        now, then = client.get_time(), client.get_future_time(3600)
        self.assertAlmostEqual(then.corrected_timestamp - now.corrected_timestamp, 3600.009, 2)
        self.assertAlmostEqual(then.uncertainty_seconds, math.hypot(1e-6, 1e-9 * 3600), 8)
        for wrong in -1, 3601, math.nan, math.inf, "60", None, True:
            self.assertRaises(ValueError, client.get_future_time, wrong)

    def test_wait_until(self):
        client = self.client()
        target = client.get_time().corrected_timestamp + 0.02
        client.wait_until(target, tolerance_ms=0.5)
        self.assertGreaterEqual(client.get_time().corrected_timestamp, target - 0.0005)
        with self.assertRaisesRegex(ValueError, "in the past"):
            client.wait_until(target - 1)
        for wrong in math.nan, math.inf, "1", None:
            self.assertRaises(ValueError, client.wait_until, wrong)
        self.assertRaises(ValueError, client.wait_until, target + 9, -1)

    def test_get_daemon_info(self):
        info = self.client().get_daemon_info()
        wanted = {"status": "ready", "warmup_complete": True, "measurement_count": 123,
                  "total_corrections": 456, "daemon_uptime": 321.0, "ntp_ready": True,
                  "models_ready": False, "data_source": "ntp", "clock_status": "synchronized"}
        self.assertEqual({key: info[key] for key in wanted}, wanted)
        self.assertTrue(3 < info["seconds_since_ntp"] < 60)
        for state, status in ("warming_up", "warming_up"), ("killed", "not_running"), \
                ("stopped", "not_running"), ("expired", "warming_up"):
            with self.subTest(state):
                client = self.client(state)
                self.assertEqual(client.get_daemon_info()["status"], status)
                self.assertFalse(client.is_daemon_ready())
        client = chronotick.ChronoTickClient("/nonexistent")
        self.assertFalse(client.is_daemon_ready())
        for call in client.get_time, client.get_daemon_info, lambda: client.wait_until(1e12):
            with self.assertRaisesRegex(RuntimeError, "start chronotickd"):
                call()
        with self.assertRaises(RuntimeError):
            self.client("expired").get_time()

    def test_a_page_that_was_replaced_is_opened_again(self):
        path = self.page("expired")
        client = chronotick.ChronoTickClient(path)
        self.assertRaises(NotTrustedError, client.get_time)
        os.rename(self.page(), path)
        self.assertEqual(client.get_time().source, "ntp")

    def test_records_in_both_orders(self):
        names = chronotick.ChronoTickData._fields
        wanted = dict(corrected_timestamp=1.5, system_timestamp=2.5, prediction_time=3.5,
                      offset_correction=-4.5, drift_rate=5.5e-6, offset_uncertainty=6.5e-6,
                      drift_uncertainty=7.5e-9, valid_until=8.5, confidence=0.75,
                      sequence_number=10, flags=11, source=CorrectionSource.NO_DATA,
                      measurement_count=13, last_ntp_sync=14.5, daemon_uptime=15.5,
                      total_corrections=16, reserved=17, average_latency_ms=18.5)
        self.assertEqual(set(names), set(wanted))
        for state, order in ("distinct", "document"), ("distinct_python", "python"):
            with open(self.page(state), "rb") as page:
                content = page.read()
            for buffer in content, content[:128], bytearray(b"x" + content)[1:], \
                    memoryview(b"x" + content)[1:]:
                data = chronotick.read_data(buffer, None if len(buffer) == 4096 else order)
                self.assertEqual(data._asdict(), wanted)
            with Clock(self.page(state)) as clock:
                self.assertEqual(clock.record()[:7], data[:7])
                self.assertEqual(chronotick.read_data(memoryview(clock)), data)
        self.assertFalse(data.is_valid)  # valid_until is long past
        self.assertTrue(data.is_ntp_ready and data.is_warmup_complete and not data.is_models_ready)
        self.assertEqual(data.get_corrected_time_at(13.5), 13.5 - 4.5 + 5.5e-6 * 10)
        self.assertEqual(chronotick.get_corrected_time_at(data, 13.5),
                         data.get_corrected_time_at(13.5))
        self.assertAlmostEqual(chronotick.get_time_uncertainty(data, 1000), 9.92e-6, 8)

    def test_records_that_are_none(self):
        self.assertRaises(ValueError, chronotick.read_data, b"x" * 127)
        self.assertRaises(TypeError, chronotick.read_data, "x" * 128)
        self.assertRaises(ValueError, chronotick.read_data, b"x" * 128, "other")
        self.assertRaises(ValueError, chronotick.read_data_with_retry, b"x" * 128, 0)
        torn = bytearray(128)
        torn[68] = 1
        with self.assertRaisesRegex(chronotick.ChronoTickError, "torn"):
            chronotick.read_data_with_retry(torn, max_retries=5)
        for _ in range(200):
            garbage = bytearray(os.urandom(4096))
            garbage[68] &= 0xfe
            self.assertIn(chronotick.read_data(garbage).source, CorrectionSource)
        path = self.page()
        self.poke(path, RECORD + 68, struct.pack("=I", 7))
        with Clock(path) as clock:  # the first is torn: its shadow is whole
            self.assertEqual(chronotick.read_data(memoryview(clock)).measurement_count, 123)
            self.poke(path, SHADOW + 68, struct.pack("=I", 7))
            self.assertRaises(chronotick.ChronoTickError, chronotick.read_data, memoryview(clock))
            self.assertRaises(chronotick.ChronoTickError, clock.record)

    def test_benchmark_is_measured(self):
        with Clock(self.page()) as clock:
            latency_ns = chronotick.benchmark_read_latency(memoryview(clock), 2000)
        self.assertTrue(10 < latency_ns < 1e7)


class Stubs(unittest.TestCase):
    def test_the_type_hints_are_of_what_there_is(self):
        from chronotick import _native
        with open(STUB, encoding="utf-8") as text:
            stub = ast.parse(text.read())

        def names(body):
            for node in body:
                if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                    yield node.name, node
                elif isinstance(node, ast.AnnAssign):
                    yield node.target.id, node
        told = dict(names(stub.body))
        self.assertEqual(set(told), {n for n in dir(_native) if not n.startswith("_")})
        for name in "Clock", "Interval":
            attributes = {n for n, _ in names(told[name].body) if not n.startswith("_")}
            self.assertEqual(attributes, {n for n in dir(getattr(_native, name)) if n[0] != "_"})


class Segment(Pages):
    def test_readers_neither_unlink_nor_write(self):
        """The original's clients removed the segment when the first of them ended."""
        name = f"/dev/shm/chronotick_test_python_{os.getpid()}"
        self.addCleanup(lambda: os.path.exists(name) and os.unlink(name))
        subprocess.run([MAKE_PAGE, "trusted", name], check=True)
        os.chmod(name, 0o444)
        with open(name, "rb") as page:
            before = page.read()
        program = ("import chronotick, chronotick_shm\n"
                   "c = chronotick_shm.ChronoTickClient(); c.get_time(); c.is_daemon_ready()\n"
                   "clock = chronotick.Clock(); view = memoryview(clock)\n"
                   "chronotick.read_data_with_retry(view); chronotick.now_ns()\n"
                   "maps = [l.split()[1] for l in open('/proc/self/maps') if 'chronotick_test' in l]\n"
                   "assert maps and all(m == 'r--s' for m in maps), maps\n")
        for _ in range(3):
            subprocess.run([sys.executable, "-c", program], check=True,
                           env=dict(os.environ, CHRONOTICK_PAGE=name))
        with open(name, "rb") as page:
            self.assertEqual(page.read(), before)


if __name__ == "__main__":
    unittest.main(verbosity=1)
