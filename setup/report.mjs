// One visible line a step: what, how far, how long.
const seconds = (since) => `${((performance.now() - since) / 1000).toFixed(1)} s`;

export function reporter(total, out = process.stderr) {
  const live = out.isTTY === true;
  const start = performance.now();
  let number = 0;
  let current = "";
  return {
    /** Runs a step; `work` gets `say(text)` for what takes long, and returns what came of it. */
    async step(what, work) {
      number++;
      current = what;
      const began = performance.now();
      const head = `set-up ${number}/${total}  ${what.padEnd(15)} `;
      let doing = "";
      const draw = () => out.write(`\r\x1b[K${head} ${doing} ${seconds(began)}`);
      const ticker = live ? setInterval(draw, 200) : null;
      try {
        const outcome = await work((text) => {
          doing = text;
          if (!live || text.startsWith("WARNING"))
            out.write(`${live ? "\r\x1b[K" : ""}${head} ${text}\n`);
        });
        out.write(`${live ? "\r\x1b[K" : ""}${head} ${outcome} (${seconds(began)})\n`);
      } finally {
        if (ticker) clearInterval(ticker);
      }
    },
    end() {
      out.write(`set-up done in ${seconds(start)}\n`);
    },
    failed(error) {
      if (error.log) out.write(`\n${error.log}\n`);
      out.write(
        `\nset-up stopped at "${current}": ${error.fix ? error.message : (error.stack ?? error)}\n`,
      );
      if (error.fix) out.write(`Fix: ${error.fix}\nThen run: node setup.mjs\n`);
    },
  };
}
