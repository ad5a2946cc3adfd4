/** The temporary directories that CRIU makes by mkdtemp(3) for a restore, and a killed CRIU leaves (cgroup.c, mount.c). */
const SCRATCH = /^(\.criu\.cgyard|\.criu\.mntns|cr-tmpfs|crtools-proc)\.[A-Za-z0-9]{6}$/;

/** Whether a name is that of one of them. */
export const isScratch = (name: string): boolean => SCRATCH.test(name);
