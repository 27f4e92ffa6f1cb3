/** Activations, and what they do to the scale of what goes through. */
export type Activation = "relu" | "relu6" | "hard-swish" | "leaky-relu" | "leaky-relu-0.1" | "mish";

/**
 * Share of the mean square that is taken to stay behind an activation. A rectifier lets half of it
 * through. Hard-swish and mish are nearly linear around 0 and nearly a rectifier far from it, so
 * they let more through the larger their input is: taken as they are at their usual scale (0.36), a
 * deviation would grow from layer to layer, as the batch norms here do not adapt. Taken near a
 * rectifier, it dies away.
 */
const shares: Readonly<Record<Activation, number>> = {
  relu: 0.5,
  relu6: 0.5,
  "leaky-relu": 0.5,
  "leaky-relu-0.1": 0.505,
  "hard-swish": 0.45,
  mish: 0.45,
};

/** Mean square that is expected behind an activation. */
export function powerBehind(activation: Activation, power: number): number {
  return shares[activation] * power;
}
