/**
 * A time of a file as text: ISO 8601, in UTC. File systems in memory keep what anybody writes into an inode (utimensat(2)),
 * also years that no Date has: those are said to be beyond.
 */
export const timeText = (time: Date): string =>
  Number.isNaN(time.getTime()) ? "beyond the year 275760" : time.toISOString();
