/** First in, first out, in constant time however long it grows (Array.shift moves all that follows). */
export interface Fifo<T> {
  readonly size: number;
  push(value: T): void;
  peek(): T | undefined;
  shift(): T | undefined;
}

export const fifo = <T>(): Fifo<T> => {
  let values: (T | undefined)[] = [];
  let head = 0;
  return {
    get size() {
      return values.length - head;
    },
    push: (value) => {
      values.push(value);
    },
    peek: () => values[head],
    shift: () => {
      const value = values[head];
      if (head < values.length) values[head++] = undefined;
      if (head > 512 && head * 2 > values.length) {
        values = values.slice(head);
        head = 0;
      }
      return value;
    },
  };
};
