import { endWithParent } from "../../pipeline/end-with-parent.js";

/** Loaded before Framework in its process, which knows nothing of who started it. */
endWithParent(Number(process.env.SHITU_REPORT_PID), { group: true });
