package io.github.loragraph.sagemaker.client;

import io.github.loragraph.cli.ResultOutput;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
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
          + " into DIR/JOB/output. A folder appears whole, or not at all; one that is there already is"
          + " passed over, so that the same command goes on where it ended. The folders are printed, a"
          + " line each.",
      ""
    },
    footer = {
      "",
      "Examples:",
      "  lora-graph sagemaker download @jobs.txt -o models",
      "  lora-graph eval models/JOB --data dev.tsv",
      "",
      "Exit codes: 0 done; 1 a job has no model or its download failed (the others are there), or the"
          + " service refused; 2 wrong usage; 130, 143 and 129 ended by Ctrl-C, SIGTERM and SIGHUP (what is not whole"
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
    EachJob each = new EachJob(jobs.names(), output);
    List<String> folders = new ArrayList<>();
    try (TrainingJobs asked = service.open(Optional.empty())) {
      each.run(
          job ->
              folders.add(
                  asked
                      .downloaded(job, folder)
                      .map(there -> passedOver(job, there))
                      .orElseGet(() -> asked.download(job, folder, output::say))
                      .toString()));
    }
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("folders", folders);
    json.put("failed", each.failed());
    output.print(json, out -> folders.forEach(out::println));
    each.requireAll("downloaded");
    return 0;
  }

  private Path passedOver(String job, Path there) {
    output.say("%s: %s is there already: passed over".formatted(job, there));
    return there;
  }
}
