import type { Command } from "commander";
import { protocols, type Protocol } from "../pipeline/protocol.js";
import { choice } from "./options.js";

export interface ProtocolOption {
  readonly protocol: string;
}

const names = protocols.join(" or ");

/** `--protocol` of every verb that counts. */
export function addProtocolOption(command: Command, usual: Protocol = "standard"): Command {
  return command.option("--protocol <name>", names, usual);
}

export function protocolOf({ protocol }: ProtocolOption): Protocol {
  return choice("--protocol", protocol, protocols);
}
