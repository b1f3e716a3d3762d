package io.github.loragraph.cli;

import io.github.loragraph.Model;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** Whether a model that is made of another one has the weights itself. */
final class WeightsOption {
  @Option(
      names = "--standalone",
      description =
          "Write all weights into the new file. Without it the file is small: it refers to the"
              + " weights of MODEL, in its folder or by a hard link, and both stay together.")
  private boolean standalone;

  /** Writes the model and the files that belong to it. */
  Path save(Model model, Path target, boolean replace) {
    return standalone ? model.save(target, replace) : model.saveSharingWeights(target, replace);
  }
}
