package io.github.loragraph.cli;

/** Reads an optimizer by its name on the command line. */
final class OptimizerConverter extends NameConverter<ArtifactsCommand.Optimizer> {
  OptimizerConverter() {
    super(ArtifactsCommand.Optimizer.values());
  }
}
