package io.github.loragraph.check;

import io.github.loragraph.cli.LoraGraph;
import io.github.loragraph.error.LoraGraphException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine;

/** The models that steps are measured on, made by lora-graph's own commands. */
enum ReferenceModel {
  MINILM("all-MiniLM-L6-v2", "minilm"),
  ROBERTA_BASE("RoBERTa-base size", "roberta-base");

  private final String label;
  private final String folder;

  ReferenceModel(String label, String folder) {
    this.label = label;
    this.folder = folder;
  }

  /** As tables name it. */
  String label() {
    return label;
  }

  /** The file that {@link #make} makes, relative to its folder. */
  String file() {
    return folder + "/model.lora.onnx";
  }

  /** The commands that make it, in a folder that they are run in. */
  List<List<String>> commands() {
    return List.of(
        this == MINILM
            ? List.of("add-head", "all-MiniLM-L6-v2", "--labels", "negative,positive", "-o", folder)
            : List.of("reference", "roberta-base", "-o", folder),
        List.of("inject", folder, "--match", "query|output", "--rank", "4"));
  }

  /**
   * Makes the model where it is not there yet.
   *
   * @throws LoraGraphException if a command fails
   */
  Path make(Path where) {
    Path file = where.resolve(file());
    if (!Files.exists(file)) {
      for (List<String> command : commands()) {
        StringWriter err = new StringWriter();
        CommandLine commandLine = LoraGraph.commandLine();
        commandLine.setOut(new PrintWriter(new StringWriter())).setErr(new PrintWriter(err, true));
        String[] words =
            command.stream()
                .map(word -> word.equals(folder) ? where.resolve(folder).toString() : word)
                .toArray(String[]::new);
        if (LoraGraph.execute(commandLine, words) != 0) {
          throw new LoraGraphException(
              "lora-graph %s failed: %s"
                  .formatted(command.get(0), err.toString().strip().replaceAll("\\R", " ")));
        }
      }
    }
    return file;
  }
}
