/** Whether a paste is of a dump or checkpoint alone: by the commands and messages that are shown, where no line speaks of a restore. */

const ofDump =
  /\b(?:criu|crtools)(?:-ns)? (?:-\S{1,40} )?(?:pre-)?dump\b|\b(?:docker|podman|nerdctl|runc|crun|youki|ctr|crictl|kubectl)\b.{0,80}\bcheckpoint\b|\blxc-checkpoint\b|\b(?:C|c)annot checkpoint\b|\bCould not dump the JVM\b|\bcheckpoint request failed\b/;
const ofRestore = /\brestor/i;
const LETTERS = 2048;

export function directionSeen(): { note(text: string): void; isDump(): boolean } {
  let dumps = false;
  let restores = false;
  return {
    note(text) {
      const looked = text.slice(0, LETTERS);
      dumps ||= ofDump.test(looked);
      restores ||= ofRestore.test(looked);
    },
    isDump: () => dumps && !restores,
  };
}
