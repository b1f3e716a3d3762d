package io.github.loragraph.cli;

import io.github.loragraph.training.WeightDecay;

/** Reads what weight decay is on by its name on the command line. */
final class WeightDecayConverter extends NameConverter<WeightDecay> {
  WeightDecayConverter() {
    super(WeightDecay.values());
  }
}
