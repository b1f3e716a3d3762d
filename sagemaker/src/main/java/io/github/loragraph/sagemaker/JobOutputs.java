package io.github.loragraph.sagemaker;

import io.github.loragraph.Model;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.file.AtomicFile;
import io.github.loragraph.file.FileStamps;
import io.github.loragraph.file.TemporaryFolder;
import io.github.loragraph.trainer.RunFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;

/** What a job leaves to the platform: the model flat, and all else of its run. */
final class JobOutputs {
  private final Path model;
  private final Path outputs;
  private final Consumer<String> notes;

  /**
   * @param notes takes a line on what is written, and on what lies there already
   */
  JobOutputs(ContainerFolders container, Consumer<String> notes) {
    this.model = container.model();
    this.outputs = container.outputData();
    this.notes = notes;
  }

  /**
   * Tries whether it can be written: that is better known before a training of hours.
   *
   * @throws LoraGraphException if it cannot
   */
  void requireWritable() {
    for (Path folder : List.of(model, outputs)) {
      try {
        Files.createDirectories(folder);
        Files.delete(Files.createTempFile(folder, ".lora-", ".part"));
      } catch (IOException e) {
        throw ContentFile.cannotWrite(folder, e);
      }
    }
  }

  /**
   * Writes them.
   *
   * @param run the run folder of the training, which is over
   * @throws LoraGraphException if something cannot be written
   */
  void write(Path run) {
    Model trained = Model.open(run).withNotes(notes);
    Set<String> others;
    try {
      Files.createDirectories(model);
      Model whole = trained.hasAdapters() ? trained.merge() : trained;
      Map<String, FileStamps> before = new TreeMap<>();
      for (Path file : FolderFiles.in(model)) {
        before.put(file.getFileName().toString(), FileStamps.of(List.of(file)));
      }
      whole.save(model, true);
      before.remove(RunFolder.ADAPTER);
      before.values().removeIf(stamps -> !stamps.areUnchanged());
      others = before.keySet();
      if (!others.isEmpty()) {
        notes.accept("in %s was before, and stays: %s".formatted(model, String.join(", ", others)));
      }
      copyAdapter(run.resolve(RunFolder.ADAPTER), model.resolve(RunFolder.ADAPTER));
    } catch (IOException e) {
      throw ContentFile.cannotWrite(model, e);
    }
    try {
      copyOutputs(run, others);
    } catch (IOException e) {
      throw ContentFile.cannotWrite(outputs, e);
    }
    notes.accept("written: %s, %s".formatted(model, outputs));
  }

  private void copyAdapter(Path from, Path to) throws IOException {
    if (Files.exists(to)) {
      notes.accept("%s was there already: it is replaced".formatted(to));
      TemporaryFolder.delete(to);
    }
    if (!Files.isDirectory(from)) {
      return;
    }
    for (Path file : FolderFiles.below(from)) {
      Path target = to.resolve(from.relativize(file).toString());
      Files.createDirectories(AtomicFile.folderOf(target));
      Files.copy(file, target, StandardCopyOption.REPLACE_EXISTING);
    }
  }

  /**
   * What was written beside the model is not there twice.
   *
   * @param others what else lies there
   */
  private void copyOutputs(Path run, Set<String> others) throws IOException {
    Files.createDirectories(outputs);
    for (Path file : FolderFiles.in(run)) {
      String name = file.getFileName().toString();
      if (Files.isRegularFile(file)
          && !name.startsWith(".")
          && (others.contains(name) || !Files.exists(model.resolve(name)))) {
        Files.copy(file, outputs.resolve(name), StandardCopyOption.REPLACE_EXISTING);
      }
    }
  }
}
