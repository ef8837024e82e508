// Where a page finds its stylesheet, its script and its icon.

export interface Assets {
  readonly style: string;
  readonly script: string;
  readonly icon: string;
}
