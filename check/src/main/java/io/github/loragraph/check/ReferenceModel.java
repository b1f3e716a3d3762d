package io.github.loragraph.check;

import io.github.loragraph.error.LoraGraphException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The models that steps are measured on, made by lora-graph's own commands. */
public enum ReferenceModel {
  MINILM("all-MiniLM-L6-v2", "minilm"),
  ROBERTA_BASE("RoBERTa-base size", "roberta-base");

  private final String label;
  private final String folder;

  ReferenceModel(String label, String folder) {
    this.label = label;
    this.folder = folder;
  }

  /** As tables name it. */
  public String label() {
    return label;
  }

  /** The file that {@link #make} makes, relative to its folder. */
  public String file() {
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
   * Makes the model where it is not there yet, each command in a process of its own: one that runs
   * a model would load a build of ONNX Runtime, and this process is to load the device's.
   *
   * @throws LoraGraphException if a command fails
   */
  public Path make(Path where) {
    Path file = where.resolve(file());
    if (!Files.exists(file)) {
      for (List<String> command : commands()) {
        List<String> words = new ArrayList<>(command);
        // The last word of the first command and the second of the second name the folder.
        int place = command.get(0).equals("inject") ? 1 : command.size() - 1;
        words.set(place, where.resolve(folder).toString());
        try {
          ChildProcess.run(ChildProcess.loraGraph(words), null);
        } catch (LoraGraphException e) {
          throw new LoraGraphException(
              "lora-graph %s failed: %s".formatted(command.get(0), e.getMessage()), e);
        }
      }
    }
    return file;
  }
}
