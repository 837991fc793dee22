/** BullMQ's worker with the queue's own time in the place of the wall clock's, and locks that are renewed by a timer that no jump moves. */

import { type Job, Worker } from "bullmq";
import type { RedisClient } from "./connect.ts";
import type { JobData } from "./lane.ts";
import { queueName } from "./lane.ts";

export interface WorkerSettings {
  readonly client: RedisClient;
  readonly prefix: string;
  readonly lane: string;
  readonly parallel: number;
  readonly lockMs: number;
  /** Milliseconds since the epoch, by which delays are counted. */
  readonly time: () => number;
  /** Told of each job as it comes, before the next one is asked for. */
  readonly fetched: (job: Job<JobData>) => void;
}

/** Where BullMQ's scripts take the time, counted over keys and arguments. */
const timeAt: Readonly<Record<string, number>> = {
  moveToActive: 12,
  moveToDelayed: 12,
  moveToFinished: 15,
  retryJob: 12,
};

/**
 * Finished ids that a lane still recognises when they are pushed again, so that a worker that repeats its parent does
 * not double it: BullMQ keeps the jobs, and the consumer takes their bodies away.
 */
const remembered = { age: 300, count: 1000 };

export function startWorker(
  settings: WorkerSettings,
  work: (job: Job<JobData>, token?: string) => Promise<void>,
): Worker<JobData> {
  const { time, lockMs } = settings;
  const worker = new Worker<JobData>(queueName(settings.lane), work, {
    connection: settings.client,
    prefix: settings.prefix,
    concurrency: settings.parallel,
    lockDuration: lockMs,
    // Its own renewal goes by the wall clock, and stops for an hour when that is set back by one.
    skipLockRenewal: true,
    stalledInterval: lockMs,
    maxStalledCount: 1_000_000,
    removeOnComplete: remembered,
    runRetryDelay: 1000,
    skipVersionCheck: true,
  });
  const backend = worker.getBackend() as unknown as {
    execCommand(client: unknown, name: string, args: unknown[]): unknown;
  };
  const execute = backend.execCommand.bind(backend);
  backend.execCommand = (client, name, args) => {
    const at = timeAt[name];
    return execute(client, name, at === undefined ? args : args.with(at, Math.round(time())));
  };
  const inner = worker as unknown as {
    getBlockTimeout(until: number): number;
    nextJobFromJobData(...found: unknown[]): Promise<Job<JobData> | undefined>;
  };
  const next = inner.nextJobFromJobData.bind(worker);
  inner.nextJobFromJobData = async (...found) => {
    const job = await next(...found);
    if (job) settings.fetched(job);
    return job;
  };
  const blockTimeout = inner.getBlockTimeout.bind(worker);
  // What is due by the queue's time, said in the wall clock's.
  inner.getBlockTimeout = (until) => blockTimeout(until ? until - time() + Date.now() : until);
  return worker;
}
