export { goTime, unixNano } from "../rfc3339.ts";
