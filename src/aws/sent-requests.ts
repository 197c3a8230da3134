/** By the signals that end them: attempts of calls whose request was handed to the network. */
const sent = new WeakSet<AbortSignal>();

/** What sends a request of a call says so, first: from then on AWS may have seen it. */
export function markSent(attempt: AbortSignal): void {
  sent.add(attempt);
}

/** Whether AWS may have seen an attempt. If not, no lost answer is behind its failure, and trying again is no use. */
export function wasSent(attempt: AbortSignal): boolean {
  return sent.has(attempt);
}
