// SPDX-License-Identifier: MIT
/** UTC with an error bound, from the ChronoTick page. All times are ns since 1970, as BigInts. */

/** What goes wrong with the page or the time. `code`: the errno's name, `ERR_CLOSED`, `ETIMEDOUT`. */
export class ChronoTickError extends Error {
  readonly code: string;
}

/** There is no page to be opened, or none that may be believed. */
export class PageError extends ChronoTickError {}

/**
 * There is a page, and the time may not be trusted. EAGAIN: not yet; ESTALE: expired; ERANGE: asked for
 * a stamp from too long ago; EOVERFLOW: the bound is wider than was allowed.
 */
export class NotTrustedError extends ChronoTickError {
  /** What was read all the same: good to be shown, not to be used. */
  readonly interval?: Interval;
}

export interface IntervalJSON {
  earliest_ns: string;
  utc_ns: string;
  latest_ns: string;
  generation?: number;
  status_code?: number;
  tai_offset_s?: number | null;
  error?: number;
}

export type Status =
  | 'unsynchronized'
  | 'warming_up'
  | 'synchronized'
  | 'holdover'
  | 'writer_gone'
  | 'expired'
  | 'unknown';

/** What a read returned: if it is trusted, the truth was between earliestNs and latestNs. */
export class Interval {
  private constructor();
  readonly earliestNs: bigint;
  /** The best estimate */
  readonly utcNs: bigint;
  readonly latestNs: bigint;
  /** Goes up when the time has jumped */
  readonly generation: number;
  readonly statusCode: number;
  readonly taiCode: number;
  /** 0, or the negative errno of the read */
  readonly error: number;
  readonly status: Status;
  /** 1: the month ends with a leap second, -1: without its last second */
  readonly leap: number;
  readonly trusted: boolean;
  /** Why it is not trusted */
  readonly reason: string | null;
  /** The half-width: how far the estimate may be off */
  readonly boundNs: bigint;
  /** TAI - UTC in s, if it is known */
  readonly taiOffsetS: number | null;
  readonly tai: {earliestNs: bigint; taiNs: bigint; latestNs: bigint} | null;
  toJSON(): IntervalJSON;
  /** An interval of another process or machine. RangeError and TypeError for what is none. */
  static fromJSON(object: IntervalJSON): Interval;
}

/** The 128-byte record, with the names of its fields, and its flags one by one. */
export interface ChronoTickRecord {
  corrected_timestamp: number;
  system_timestamp: number;
  prediction_time: number;
  offset_correction: number;
  drift_rate: number;
  offset_uncertainty: number;
  drift_uncertainty: number;
  valid_until: number;
  confidence: number;
  sequence_number: number;
  flags: number;
  source: number;
  measurement_count: number;
  last_ntp_sync: number;
  daemon_uptime: number;
  total_corrections: number;
  average_latency_ms: number;
  source_name: 'no_data' | 'ntp' | 'cpu_model' | 'gpu_model' | 'fusion' | 'ptp' | 'phc' | 'unknown';
  is_valid: boolean;
  is_ntp_ready: boolean;
  is_models_ready: boolean;
  is_warmup_complete: boolean;
}

export interface Batch {
  earliestNs: BigInt64Array;
  utcNs: BigInt64Array;
  latestNs: BigInt64Array;
  /** 0, or a negative errno for a stamp whose time may not be trusted */
  results: Int32Array;
}

export interface WaitOptions {
  /** The promise is rejected with ETIMEDOUT after so long. */
  timeoutMs?: number;
  signal?: AbortSignal;
}

/** A page of one's own. Its functions may be taken out of it: they need no `this`. */
export class Clock {
  /** path: a page's file or device; by default the one that chronotick_open(3) finds. */
  constructor(path?: string | null);
  readonly closed: boolean;
  readonly path: string;
  /** The best estimate. NotTrustedError if there is none that may be trusted. */
  now: () => bigint;
  /** The same with its bound. */
  interval: () => Interval;
  /** An Interval in every case: see its `trusted` and `reason`. */
  read: () => Interval;
  /** As interval(), and NotTrustedError if the bound is wider. */
  within: (maxBoundNs: bigint) => Interval;
  /** A stamp now, to be converted later. */
  counter: () => bigint;
  at: (counter: bigint) => Interval;
  /** at() for many stamps, under one line that is read once. */
  atBatch: (stamps: BigUint64Array) => Batch;
  record: () => ChronoTickRecord;
  /** Wait until utcNs is past for certain. The loop goes on meanwhile. */
  waitUntil: (utcNs: bigint, options?: WaitOptions) => Promise<Interval>;
  /** Is anybody writing the page, and how long ago was the latest round? */
  writer: () => {alive: boolean; ageNs: bigint | null};
  /** Map the page anew: another one may have its name now. EBUSY in the last 20 ms of a wait. */
  reopen: () => void;
  close: () => void;
}

/** BEFORE: a certainly happened first; AFTER: b did; OVERLAP: it can't be told. */
export function compare(a: Interval, b: Interval): -1 | 0 | 1;
export const BEFORE: -1;
export const OVERLAP: 0;
export const AFTER: 1;

/**
 * As Clock's, on the page that is found: opened at the first call, and anew where it has expired, as
 * another one may have its name by then.
 */
export function now(): bigint;
export function interval(): Interval;
export function record(): ChronoTickRecord;
export function waitUntil(utcNs: bigint, options?: WaitOptions): Promise<Interval>;

/** A tool of libchronotick-tools, as the Model Context Protocol describes one. */
export interface Tool {
  name: string;
  title?: string;
  description: string;
  inputSchema: {type: 'object'; properties: Record<string, object>; required?: string[]};
  outputSchema: object;
  annotations?: Record<string, string | boolean>;
}

export interface ToolResult {
  content: Array<{type: 'text'; text: string}>;
  structuredContent?: Record<string, unknown>;
  isError: boolean;
}

/**
 * The tools, and what one says. They need libchronotick-tools, which is looked for when it is first
 * needed: an Error with the code ERR_NO_TOOLS, if it is not there. A call has a thread of its own.
 */
export function listTools(): Tool[];
export function callTool(name: string, args?: object, page?: string): Promise<ToolResult>;
