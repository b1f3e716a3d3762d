package io.github.loragraph.sagemaker;

import io.github.loragraph.cli.Signals;
import java.time.Duration;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code lora-graph sagemaker train}: the entry point of a training image. */
@Command(
    name = "train",
    header = "Trains in a container of SageMaker: the entry point of an image.",
    description = {
      "",
      "Reads /opt/ml/input/config/hyperparameters.json, inputdataconfig.json and resourceconfig.json."
          + " Hyperparameters are the options of 'train' and 'inject' by their names, 'seed', 'model'"
          + " (the name of a bundled model) and 'head' (a JSON object with the options of 'add-head';"
          + " {} puts one on for the labels of the data); sst2-lora-config, sst2-lora-r and"
          + " sst2-learning-rate are understood, too. Channels are train (the data), validation"
          + " (what is held out) and model (an .onnx file or a folder of Hugging Face's layout, or"
          + " model.tar.gz with one), in File or FastFile mode, on one instance.",
      "",
      "Writes /opt/ml/model (model.onnx, config.json, tokenizer, adapter/), /opt/ml/output/data"
          + " (metrics.jsonl, report.html, run.json, config.yaml) and, where it fails, one line into"
          + " /opt/ml/output/failure. Prints metrics as 'sagemaker metrics' says. Where"
          + " /opt/ml/checkpoints is there, checkpoints are kept in it, and a job of the same model,"
          + " data and hyperparameters goes on from them by itself, to the very same bytes.",
      "",
      "SAGEMAKER_BASE_DIR names another folder than /opt/ml.",
      ""
    },
    footer = {
      "",
      "Examples:",
      "  docker run IMAGE train",
      "  SAGEMAKER_BASE_DIR=opt-ml lora-graph sagemaker train",
      "",
      "SIGTERM stops a training after the batch that is at work, with a checkpoint; a training that"
          + " is done writes its model. What has not ended 95 seconds later is ended: the checkpoint"
          + " before is gone on with then.",
      "Exit codes: 0 done; 1 failed (one line says what); 2 wrong usage; 143, 130 and 129 stopped by"
          + " SIGTERM, Ctrl-C and SIGHUP."
    },
    mixinStandardHelpOptions = true)
final class TrainCommand implements Callable<Integer> {
  /** The platform waits 120 seconds, and what is written then is copied, too. */
  private static final Duration LONGEST_END = Duration.ofSeconds(95);

  /** What the command calls itself by, to prepare the model in a process of its own. */
  static final String PREPARE = "--prepare";

  @Option(
      names = PREPARE,
      hidden = true,
      description = "Check the job and prepare its model alone.")
  private boolean prepare;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    Signals.endWithin(LONGEST_END);
    TrainingContainer job =
        new TrainingContainer(
            ContainerFolders.of(System.getenv()),
            spec.commandLine().getOut(),
            spec.commandLine().getErr());
    return prepare ? job.prepare() : job.run();
  }
}
