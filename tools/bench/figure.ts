/** One measured number, named and aimed at as its issue does. */
export interface Figure {
  readonly area: string;
  readonly figure: string;
  readonly value: number;
  readonly unit: string;
  /** `>= 1000` or `<= 10`: a comparison and a number. */
  readonly aim: string;
}

/** Whether the value is where the aim wants it. */
export function isMet({ value, aim }: Figure): boolean {
  const [, comparison, limit] = /^(>=|<=|<|>) *([\d.]+)$/.exec(aim) ?? [];
  switch (comparison) {
    case '>=':
      return value >= Number(limit);
    case '<=':
      return value <= Number(limit);
    case '>':
      return value > Number(limit);
    case '<':
      return value < Number(limit);
    default:
      throw new Error(`the aim «${aim}» is no comparison with a number`);
  }
}
