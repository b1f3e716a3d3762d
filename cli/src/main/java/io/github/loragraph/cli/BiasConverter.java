package io.github.loragraph.cli;

import io.github.loragraph.LoraConfig;

/** Reads which biases are trained with adapters by its name on the command line. */
final class BiasConverter extends NameConverter<LoraConfig.Bias> {
  BiasConverter() {
    super(LoraConfig.Bias.values());
  }
}
