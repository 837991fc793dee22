import { queryValues } from "../body/query.ts";
import { cutAtNul, keyed } from "./build.ts";

/** Absent for every parameter when the URI is one that Go's `url.Parse` refuses; malformed parts of the query are left out. */
export const uriParam = keyed(
  "ka.uri.param",
  "Value of a query parameter of the URI, the first of its name that is well formed.",
  (key) => {
    const wanted = Buffer.from(key);
    return (root) => {
      const [first] = queryValues(root, wanted);
      return first === undefined ? undefined : cutAtNul(first);
    };
  },
);
