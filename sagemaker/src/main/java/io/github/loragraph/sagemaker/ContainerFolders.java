package io.github.loragraph.sagemaker;

import java.nio.file.Path;
import java.util.Map;

/**
 * Where a training container of SageMaker finds what it is given, and puts what it makes: <a
 * href="https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo.html">the
 * platform's contract</a>.
 *
 * @param base the folder of all others, {@code /opt/ml} on the platform
 */
record ContainerFolders(Path base) {
  private static final String USUAL = "/opt/ml";

  /** By which AWS's own training toolkit names another folder. */
  ContainerFolders {
    base = base.toAbsolutePath().normalize();
  }

  /** Those of this process. */
  static ContainerFolders of(Map<String, String> environment) {
    String named = environment.getOrDefault(PlatformNames.BASE_FOLDER, "");
    return new ContainerFolders(Path.of(named.isEmpty() ? USUAL : named));
  }

  /** Has a process work in them. */
  void nameIn(Map<String, String> environment) {
    environment.put(PlatformNames.BASE_FOLDER, base.toString());
  }

  private Path config(String name) {
    return base.resolve("input").resolve("config").resolve(name);
  }

  Path hyperParameters() {
    return config("hyperparameters.json");
  }

  Path inputDataConfig() {
    return config("inputdataconfig.json");
  }

  Path resourceConfig() {
    return config("resourceconfig.json");
  }

  /** A folder for each channel. */
  Path data() {
    return base.resolve("input").resolve("data");
  }

  /** What becomes {@code model.tar.gz}. */
  Path model() {
    return base.resolve("model");
  }

  /** What becomes {@code output.tar.gz}. */
  Path outputData() {
    return base.resolve("output").resolve("data");
  }

  /** The file with the reason of a failure. */
  Path failure() {
    return base.resolve("output").resolve("failure");
  }

  /** What outlives an interruption; not there unless the job asks for it. */
  Path checkpoints() {
    return base.resolve("checkpoints");
  }
}
