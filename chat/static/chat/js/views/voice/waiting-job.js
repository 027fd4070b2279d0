// The job whose text this tab waits for, kept over a reload.

import { tab } from "../../device/storage.js";
import { owner } from "../../net/owner.js";

const KEY = "buddy.voice";

export const waitingJob = {
  /** Return {jobId, origin}, or null. */
  read() {
    const job = tab.read(KEY);
    return job?.jobId && [owner.me, owner.before].includes(job.owner) ? job : null;
  },
  keep: ({ jobId, origin }) => tab.set(KEY, JSON.stringify({ owner: owner.me, jobId, origin })),
  forget: () => tab.set(KEY, null),
};
