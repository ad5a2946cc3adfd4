/** Devices by their numbers, as CRIU prints them. */

/** `MAJOR[:MINOR] name`: numbers that are the same on every Linux. From 234 on they are given as drivers are loaded. */
const table = `
1:11 the kernel's log (/dev/kmsg)
4 a console or serial terminal
5:0 the controlling terminal (/dev/tty)
5:1 the system console (/dev/console)
10:63 the CPU latency request of power management (/dev/cpu_dma_latency)
10:130 a watchdog
10:183 the hardware random generator (/dev/hwrng)
10:200 a tun or tap device
10:223 an input device made by a program (/dev/uinput)
10:228 the high precision timer (/dev/hpet)
10:229 a FUSE file system's connection (/dev/fuse)
10:232 a virtual machine (/dev/kvm)
10:235 the automounter (/dev/autofs)
10:236 the device mapper
10:237 the loop devices' control
10:238 a virtual network device's other half (/dev/vhost-net)
10:239 a program's character device (/dev/cuse)
10:241 a virtual socket's other half (/dev/vhost-vsock)
10:242 the switch of radios (/dev/rfkill)
13 an input device (keyboard, mouse, joystick)
29 a frame buffer
81 a camera or another video device
89 an I2C bus
116 a sound device
166 a USB modem
180 a USB device
188 a serial line over USB
189 a USB device
195 an NVIDIA GPU
204 a serial line
226 a GPU (/dev/dri)
231 an InfiniBand device
`;

const names = new Map(
  table
    .trim()
    .split("\n")
    .map((row) => {
      const space = row.indexOf(" ");
      return [row.slice(0, space), row.slice(space + 1)] as const;
    }),
);

/** Drivers with one device each share it. */
const MISC = "10";

/** What the device `MAJOR:MINOR` is, with its numbers. */
export function deviceOf(numbers: string): string {
  const [major = ""] = numbers.split(":");
  const name = names.get(numbers) ?? names.get(major);
  const minor = numbers.split(":")[1];
  const listed =
    major === MISC && minor !== undefined
      ? `what has the number ${minor} in /proc/misc on the machine of the dump`
      : `what has the number ${major} in /proc/devices on the machine of the dump`;
  return `${name ?? listed} (${numbers})`;
}
