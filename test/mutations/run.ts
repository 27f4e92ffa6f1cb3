// Damages the files of every door and reads them: npx tsx test/mutations/run.ts [count] [seed]
// Each door works in a process of its own: a signal, a hang of 20 s, more than 1 GB of memory, or
// an error that is not the user's, is a fault, and the damaged file is kept.
import { fork } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { doors, writeSound, type Door } from "./doors.js";
import { readMutated, type Fate } from "./read-mutated.js";

const patienceMs = 20_000;
const mostBytes = 1e9;

interface Tally {
  read: number;
  refused: number;
  readonly faults: string[];
}

type Message = { readonly begins: number } | { readonly fate: Fate };

async function main(): Promise<void> {
  const [count = "1000", seed = "1"] = process.argv.slice(2);
  const each = Math.ceil(Number(count) / doors.length);
  const sound = mkdtempSync(join(tmpdir(), "mutations-"));
  await writeSound(sound);
  let faults = 0;
  for (const door of doors) {
    const tally = await damage(door, { each, seed, sound });
    faults += tally.faults.length;
    console.log(`${door.name}: ${tally.read} read, ${tally.refused} refused`);
    for (const fault of tally.faults) console.log(`  FAULT ${fault}`);
  }
  console.log(`${each * doors.length} damaged files, ${faults} faults`);
  rmSync(sound, { recursive: true });
  process.exitCode = faults > 0 ? 1 : 0;
}

/** Starts again after a fault, with the file after it. */
async function damage(
  door: Door,
  { each, seed, sound }: { each: number; seed: string; sound: string },
): Promise<Tally> {
  const tally: Tally = { read: 0, refused: 0, faults: [] };
  for (let next = 0; next < each;) {
    const folder = mkdtempSync(join(tmpdir(), "damaged-"));
    cpSync(sound, folder, { recursive: true });
    const ended = await watch([door.name, String(next), String(each), seed, folder], tally);
    next = ended.last + 1;
    if (ended.why !== null) {
      const kept = join(tmpdir(), `fault-${door.name.replace(/\W/g, "-")}-${ended.last}`);
      writeFileSync(kept, readFileSync(join(folder, door.file)));
      tally.faults.push(`${ended.last}: ${ended.why} (${kept})`);
    }
    rmSync(folder, { recursive: true });
  }
  return tally;
}

function watch(args: string[], tally: Tally): Promise<{ last: number; why: string | null }> {
  return new Promise((resolve) => {
    const child = fork(fileURLToPath(import.meta.url), ["--child", ...args], { silent: true });
    let last = Number(args[1]);
    let why: string | null = null;
    const end = (reason: string): void => {
      why = reason;
      child.kill("SIGKILL");
    };
    let timer: NodeJS.Timeout | undefined;
    child.on("message", (message: Message) => {
      clearTimeout(timer);
      if ("begins" in message) {
        last = message.begins;
        timer = setTimeout(() => end("no answer in 20 s"), patienceMs);
      } else if (message.fate.kind === "fault") end(message.fate.why);
      else tally[message.fate.kind]++;
    });
    child.on("exit", (code, signal) => {
      clearTimeout(timer);
      resolve({
        last,
        why: why ?? (signal ? `signal ${signal}` : code === 0 ? null : `exit ${code}`),
      });
    });
  });
}

async function child([name, from, to, seed, folder]: string[]): Promise<void> {
  const door = doors.find((d) => d.name === name)!;
  const tell = (message: Message): Promise<void> =>
    new Promise((resolve) => process.send!(message, undefined, undefined, () => resolve()));
  for (let i = Number(from); i < Number(to); i++) {
    await tell({ begins: i });
    let fate = await readMutated(door, folder!, `${seed}/${i}`);
    if (process.resourceUsage().maxRSS * 1024 > mostBytes)
      fate = { kind: "fault", why: "more than 1 GB of memory" };
    await tell({ fate });
  }
  process.disconnect();
}

if (process.argv[2] === "--child") await child(process.argv.slice(3));
else await main();
