/** From a worker: it accepts connections. */
export const READY = "gatehouse:ready";

/** From a worker: it has served as many requests as it may, and goes on until its successor is there. */
export const WORN_OUT = "gatehouse:worn-out";

/** To a worker: its successor accepts connections. */
export const RETIRE = "gatehouse:retire";
