/** The connections of a pool at one moment. */
export interface PoolStats {
  /** Open ones, those in use and those at rest. */
  readonly total: number;
  readonly idle: number;
  /** Who waits for one to become free. */
  readonly waiting: number;
  /** How many there may be. */
  readonly max: number;
}
