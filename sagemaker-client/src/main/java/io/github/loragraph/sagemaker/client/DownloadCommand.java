package io.github.loragraph.sagemaker.client;

import io.github.loragraph.cli.ResultOutput;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code lora-graph sagemaker download}. */
@Command(
    name = "download",
    header = "Downloads what jobs have made.",
    description = {
      "",
      "The model of each job goes into DIR/JOB (model.onnx, config.json, tokenizer.json, adapter/):"
          + " a MODEL for all other commands. What else it has written (metrics.jsonl, report.html) goes"
          + " into DIR/JOB/output. A folder appears whole, or not at all.",
      ""
    },
    footer = {
      "",
      "Examples:",
      "  lora-graph sagemaker download @jobs.txt -o models",
      "  lora-graph eval models/JOB --data dev.tsv",
      "",
      "Exit codes: 0 done; 1 failed, or the service refused: folders that are there by then stay;"
          + " 2 wrong usage; 130, 143 and 129 ended by Ctrl-C, SIGTERM and SIGHUP (what is not whole"
          + " leaves nothing)."
    },
    mixinStandardHelpOptions = true)
final class DownloadCommand implements Callable<Integer> {
  @Mixin private NamedJobs jobs;

  @Option(
      names = {"-o", "--output-dir"},
      required = true,
      paramLabel = "DIR",
      description = "The folder that a folder for each job is put into.")
  private Path folder;

  @Mixin private ServiceOptions service;
  @Mixin private ResultOutput output;

  @Override
  public Integer call() {
    List<String> names = jobs.names();
    try (TrainingJobs asked = service.open(Optional.empty())) {
      List<String> written = new ArrayList<>();
      for (String job : new LinkedHashSet<>(names)) {
        Path made = asked.download(job, folder, output::say);
        written.add(made.toString());
      }
      output.print(Map.of("folders", written), out -> written.forEach(out::println));
      return 0;
    }
  }
}
