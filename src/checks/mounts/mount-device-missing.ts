import type { Check, Context, Problem } from "../finding.ts";
import { AUTO, EXTERNAL_DEVICE, imageOf, type Mount } from "./external.ts";
import { newFilesystems } from "./filesystems.ts";
import { lookOnHost } from "./mount-sources.ts";

/** Major and minor number. */
const deviceOf = ({ entry }: Mount) => [entry.root_dev >>> 20, entry.root_dev & 0xfffff] as const;

/** The name that the device was given at the dump. */
const nameOf = ({ entry }: Mount) => /^dev\[(.*)\]$/.exec(entry.source)?.[1] ?? entry.source;

/** Whether CRIU knows what to mount: nothing, an option's device, or the one of the dump under its old number (resolve_source). */
function isDeviceKnown(context: Context, mount: Mount): boolean {
  const { entry, key } = mount;
  const [major, minor] = deviceOf(mount);
  if (major === 0) return true;
  if (key !== EXTERNAL_DEVICE && entry.fstype !== AUTO) return false;
  const name = nameOf(mount);
  if (context.request.external.some((external) => external.kind === "dev" && external.key === name))
    return true;
  const same = lookOnHost(context, entry.source);
  // A device number as stat(2) packs it: makedev(3).
  const packed = (minor & 0xff) + major * 0x100 + (minor - (minor & 0xff)) * 0x1000;
  return same?.ok === true && same.stat.isBlockDevice() && same.stat.rdev === packed;
}

export const mountDeviceMissing: Check = {
  title: "The device of a mounted file system is not named",
  reads:
    "root_dev, source and ext_key in mountpoints-*.img; --external dev[NAME]:DEVICE and block devices",
  why:
    "CRIU mounts a file system on a device anew, but from a device that the user names: device numbers change from boot to boot and " +
    "from machine to machine.",
  proof: "criu",
  answers: ["choice"],
  run: (context) =>
    newFilesystems(context)
      .values()
      .flatMap((mounts): Problem[] => {
        if (mounts.some((mount) => isDeviceKnown(context, mount))) return [];
        const [mount] = mounts;
        const { entry, at } = mount;
        const [major, minor] = deviceOf(mount);
        return [
          {
            severity: "blocker",
            image: imageOf(mount),
            subject: at,
            message: `${at} was a file system on the device ${entry.source} (${major}:${minor}), which no option names`,
            criu_message: `mnt: No device for ${at}(${entry.mnt_id}) mount`,
            remedy: {
              kind: "option",
              text: "name the device that holds it now (lsblk -f lists them)",
              option: `--external dev[${nameOf(mount)}]:DEVICE`,
              automatic: false,
            },
          },
        ];
      }),
};
