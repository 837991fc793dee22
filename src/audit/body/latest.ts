/** A function that works its answer out once for calls after each other with the same argument: events are judged one by one. */
export const rememberLatest = <K extends object, V>(work: (of: K) => V): ((of: K) => V) => {
  let latest: K | undefined;
  let answer: V;
  return (of) => {
    if (latest !== of) {
      answer = work(of);
      latest = of;
    }
    return answer;
  };
};
