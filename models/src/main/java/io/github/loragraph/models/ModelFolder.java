package io.github.loragraph.models;

import io.github.loragraph.adapter.PeftAdapter;
import io.github.loragraph.adapter.PeftConfig;
import io.github.loragraph.data.LabelSet;
import io.github.loragraph.data.Tokenizer;
import io.github.loragraph.data.WordTokenizer;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.Remedy;
import io.github.loragraph.file.AtomicFile;
import io.github.loragraph.file.InputFile;
import io.github.loragraph.file.StagedFiles;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.trainer.RunFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A model and the files that belong to it, in Hugging Face's layout: {@code model.onnx} or {@code
 * onnx/model.onnx}, with {@code config.json} and {@code tokenizer.json} beside it or, for the
 * latter, one folder up.
 *
 * <p>Long because the rules by which files belong to a model are read in one piece.
 */
public final class ModelFolder {
  private static final String TOKENIZER = "tokenizer.json";
  private static final String SUFFIX = ".onnx";

  /** Where Hugging Face's exporter puts models. */
  private static final String INNER = "onnx";

  private static final int MOST_LISTED = 12;
  private static final List<String> COMPANIONS =
      List.of(
          ModelConfig.FILE,
          TOKENIZER,
          "tokenizer_config.json",
          "special_tokens_map.json",
          "added_tokens.json",
          "vocab.txt",
          "vocab.json",
          "merges.txt",
          "sentencepiece.bpe.model",
          "spiece.model",
          SentenceFiles.MODULES,
          SentenceFiles.POOLING,
          SentenceFiles.LENGTH,
          SentenceFiles.PROMPTS);

  private final Path modelFile;

  /** Where the model's own files are looked for; the first that has one counts. */
  private final List<Path> folders;

  /** The adapter that goes onto the model; null where there is none. */
  private final @Nullable AdapterFolder adapter;

  /** The run folder that it was opened as; null where the model was named itself. */
  private final @Nullable Path run;

  private final boolean bundled;

  /** Whether the model makes embeddings, as files beside it say, or has a head since. */
  private final boolean embeds;

  /** Null where it is that of the folder. */
  private final @Nullable ModelConfig config;

  /** Files of sentence-transformers in memory, by their names: in place of those of the folder. */
  private final Map<String, byte[]> sentenceFiles;

  private ModelFolder(Path modelFile, boolean bundled) {
    this(modelFile, bundled, true, null, Map.of(), null, null);
  }

  private ModelFolder(
      Path modelFile,
      boolean bundled,
      boolean embeds,
      @Nullable ModelConfig config,
      Map<String, byte[]> sentenceFiles,
      @Nullable AdapterFolder adapter,
      @Nullable Path run) {
    this.sentenceFiles = sentenceFiles;
    this.adapter = adapter;
    this.run = run;
    this.modelFile = modelFile;
    this.bundled = bundled;
    this.embeds = embeds;
    this.config = config;
    Path folder = AtomicFile.folderOf(modelFile.toAbsolutePath().normalize());
    List<Path> searched = new ArrayList<>();
    if (adapter != null) {
      if (adapter.run() != null) {
        searched.add(adapter.run().toAbsolutePath().normalize());
      }
      searched.add(adapter.folder().toAbsolutePath().normalize());
    }
    searched.add(folder);
    if (folder.getFileName() != null && folder.getFileName().toString().equals(INNER)) {
      searched.add(AtomicFile.folderOf(folder));
    }
    this.folders = List.copyOf(searched);
  }

  /**
   * The model at a path.
   *
   * @param path an {@code .onnx} file or a folder with one
   * @throws LoraGraphException if there is nothing, or a folder has no model or several
   */
  public static ModelFolder of(Path path) {
    return of(path, false);
  }

  /**
   * One of the models of a folder.
   *
   * @param folder a folder
   * @param file a name in it, or in its folder {@code onnx}
   * @throws LoraGraphException if there is no such file
   */
  public static ModelFolder of(Path folder, String file) {
    if (!Files.isDirectory(folder)) {
      throw new LoraGraphException(
          "%s is no folder, so that %s cannot be looked for in it".formatted(folder, file),
          Remedy.OMIT_FILE);
    }
    for (Path candidate : List.of(folder.resolve(file), folder.resolve(INNER).resolve(file))) {
      if (Files.isRegularFile(candidate)) {
        return new ModelFolder(candidate, false);
      }
    }
    List<String> found = models(folder);
    throw new LoraGraphException(
        "%s has no file %s; %s"
            .formatted(
                folder,
                file,
                found.isEmpty() ? "there is no model in it" : "there is: " + listed(found)));
  }

  static ModelFolder of(Path path, boolean bundled) {
    if (!Files.exists(path)) {
      throw new LoraGraphException("no such model: " + path);
    }
    return Files.isDirectory(path) ? ofFolder(path, bundled) : new ModelFolder(path, bundled);
  }

  /** The model of a folder; of a run that has its adapter alone, the one that it was trained on. */
  private static ModelFolder ofFolder(Path folder, boolean bundled) {
    RunFolder.finishWriting(folder);
    boolean isBase = Files.isRegularFile(folder.resolve(RunFolder.MODEL));
    if (isBase || !RunFolder.hasAdapter(folder)) {
      return new ModelFolder(only(folder), bundled);
    }
    ModelFolder base = new ModelFolder(RunConfiguration.baseOf(folder), false);
    return base.with(AdapterFolder.at(folder), folder);
  }

  private ModelFolder with(AdapterFolder other, @Nullable Path openedAs) {
    return new ModelFolder(modelFile, bundled, embeds, config, sentenceFiles, other, openedAs);
  }

  /**
   * The same with an adapter on the model, in the place of one that is there. Its own files, where
   * it has some, or its run's, count before those of the model.
   */
  public ModelFolder withAdapter(AdapterFolder other) {
    return with(other, null);
  }

  /**
   * Reads the model, with the adapter that goes onto it.
   *
   * @param notes takes what was guessed or left out of the adapter, a line each
   * @throws LoraGraphException if it is no whole ONNX model, or the adapter is not for such a model
   */
  public OnnxModel read(Consumer<String> notes) {
    OnnxModel base = OnnxFile.read(modelFile).shownAs(shown());
    if (adapter == null) {
      return base;
    }
    PeftAdapter read = PeftAdapter.read(adapter.folder());
    return LoraGraphException.in(adapter.folder(), () -> AdapterOnModel.onto(base, read, notes));
  }

  /** The files that decide what {@link #read} gives, but for those of external data. */
  public List<Path> sourceFiles() {
    List<Path> files = new ArrayList<>(List.of(modelFile));
    adapter().ifPresent(a -> files.addAll(a.files()));
    return files;
  }

  /** The adapter that goes onto the model. */
  public Optional<AdapterFolder> adapter() {
    return Optional.ofNullable(adapter);
  }

  /** The folder whose things lie beside the model: that which was named, or the model's. */
  public Path home() {
    return run != null ? run : AtomicFile.folderOf(modelFile);
  }

  /** What was opened: the model, or the run folder that has an adapter for it. */
  public Path opened() {
    return run != null ? run : modelFile;
  }

  /** The configuration of the run that it is of, or what an adapter's folder says like it. */
  Path runConfiguration() {
    @Nullable Path reading = adapter == null ? null : adapter.reading();
    return reading != null ? reading : modelFile.resolveSibling(RunFolder.CONFIG);
  }

  private static Path only(Path folder) {
    for (Path usual : List.of(folder.resolve("model.onnx"), folder.resolve("onnx/model.onnx"))) {
      if (Files.isRegularFile(usual)) {
        return usual;
      }
    }
    List<String> found = models(folder);
    List<String> beside = found.stream().filter(name -> !name.startsWith(INNER + "/")).toList();
    if (beside.size() == 1) {
      return folder.resolve(beside.get(0));
    }
    if (RunFolder.isUnfinished(folder)) {
      throw new LoraGraphException(
          folder + " is a run that was stopped and has no model yet",
          Remedy.RESUME_RUN.with(folder));
    }
    if (found.isEmpty() && Files.exists(folder.resolve(PeftConfig.FILE))) {
      throw new LoraGraphException(
          folder + " holds an adapter, not a model", Remedy.NAME_MODEL_OF_ADAPTER.with(folder));
    }
    if (found.isEmpty()) {
      throw new LoraGraphException(
          "%s holds no model (neither model.onnx nor onnx/model.onnx)".formatted(folder));
    }
    throw beside.isEmpty()
        ? new LoraGraphException(
            "%s holds no model.onnx, but %s".formatted(folder, listed(found)),
            Remedy.CHOOSE_FILE.with(found.get(0)))
        : new LoraGraphException(
            "%s holds %d models (%s)".formatted(folder, found.size(), listed(found)),
            Remedy.CHOOSE_ONE_FILE);
  }

  private static String listed(List<String> names) {
    String some = String.join(", ", names.subList(0, Math.min(MOST_LISTED, names.size())));
    return names.size() > MOST_LISTED ? some + ", ... (%d)".formatted(names.size()) : some;
  }

  /** The models in a folder and in its folder {@code onnx}, by their paths from the folder. */
  private static List<String> models(Path folder) {
    List<String> found = new ArrayList<>();
    for (Path searched : List.of(folder, folder.resolve(INNER))) {
      if (!Files.isDirectory(searched)) {
        continue;
      }
      try (Stream<Path> files = Files.list(searched)) {
        files
            .filter(file -> file.getFileName().toString().endsWith(SUFFIX))
            .map(file -> folder.relativize(file).toString())
            .sorted()
            .forEach(found::add);
      } catch (IOException e) {
        throw new LoraGraphException("cannot list " + searched + ": " + AtomicFile.reason(e), e);
      }
    }
    return found;
  }

  public Path modelFile() {
    return modelFile;
  }

  /** What messages call the model: its file, or the name of a bundled one. */
  public Path shown() {
    return bundled ? AtomicFile.folderOf(modelFile.toAbsolutePath()).getFileName() : modelFile;
  }

  /** Whether the model lies in the tool's cache, where nothing else should be written. */
  public boolean isBundled() {
    return bundled;
  }

  /**
   * The same with another configuration, which is in memory: it goes with the model wherever that
   * is written.
   */
  public ModelFolder withConfig(ModelConfig other) {
    return new ModelFolder(modelFile, bundled, embeds, other, sentenceFiles, adapter, run);
  }

  /**
   * The same of a model that makes no embeddings any more, since it has a head: the files that say
   * how it did so do not go with it.
   */
  public ModelFolder withoutEmbeddings() {
    return new ModelFolder(modelFile, bundled, false, config, Map.of(), adapter, run);
  }

  /**
   * The same with files of sentence-transformers that are in memory: they go with the model
   * wherever that is written, in place of those of the folder.
   *
   * @param files by their names
   */
  public ModelFolder withSentenceFiles(Map<String, byte[]> files) {
    return new ModelFolder(modelFile, bundled, embeds, config, Map.copyOf(files), adapter, run);
  }

  /** The configuration in memory; empty where it is that of the folder. */
  public Optional<ModelConfig> ownConfig() {
    return Optional.ofNullable(config);
  }

  /**
   * The file of the configuration as it is; empty where there is none, or it is in memory.
   *
   * @throws LoraGraphException if it cannot be read
   */
  public Optional<byte[]> configBytes() {
    return companion(ModelConfig.FILE)
        .map(
            file -> {
              try {
                return Files.readAllBytes(file);
              } catch (IOException e) {
                throw new LoraGraphException(
                    "cannot read " + file + ": " + AtomicFile.reason(e), e);
              }
            });
  }

  /** The configuration; an empty one where the folder has none. */
  public ModelConfig config() {
    if (config != null) {
      return config;
    }
    return ModelConfig.beside(folders)
        .map(
            file -> {
              ModelConfig read = ModelConfig.read(file);
              // Thresholds that were fitted to the model's answers say nothing of an adapter's.
              return adapter == null || !AtomicFile.folderOf(modelFile).equals(file.getParent())
                  ? read
                  : read.withThresholds(Map.of());
            })
        .orElseGet(ModelConfig::empty);
  }

  /**
   * The names of the classes, or their numbers where the configuration has no names for them.
   *
   * @param classes the number of the model's outputs
   * @throws LoraGraphException if the configuration names another number of classes
   */
  public LabelSet labels(int classes) {
    LabelSet labels =
        config()
            .labels()
            // Of a model with one logit, which two classes are read from, one name says nothing.
            .filter(names -> names.size() != 1 || classes != 2)
            .orElseGet(() -> LabelSet.numbered(classes));
    if (labels.size() != classes && config != null) {
      throw wrongLabels(shown(), labels.size(), OptionalInt.of(classes));
    }
    if (labels.size() != classes) {
      throw new LoraGraphException(
          "%s beside %s names %d classes, and the model has %d outputs: the file is another model's"
              .formatted(ModelConfig.FILE, shown(), labels.size(), classes));
    }
    return labels;
  }

  /**
   * The refusal of labels that a program gives.
   *
   * @param outputs how many the model has; empty where nobody knows
   */
  public static LoraGraphException wrongLabels(Path modelFile, int given, OptionalInt outputs) {
    return new LoraGraphException(
        outputs.isPresent()
            ? "%s: %d labels are given, and the model has %d outputs: give one for each"
                .formatted(modelFile, given, outputs.getAsInt())
            : "%s: no labels are given: give one for each output".formatted(modelFile));
  }

  /**
   * Opens the tokenizer.
   *
   * @param maxLength tokens of a row, special ones included
   * @throws LoraGraphException if the folder has none
   */
  public Tokenizer tokenizer(int maxLength) {
    return Tokenizer.read(tokenizerFile(), maxLength);
  }

  /**
   * Opens the tokenizer for what is read by words.
   *
   * @throws LoraGraphException if the folder has none
   */
  public WordTokenizer wordTokenizer() {
    return WordTokenizer.read(tokenizerFile());
  }

  Path tokenizerFile() {
    return find(TOKENIZER)
        .orElseThrow(
            () ->
                new LoraGraphException(
                    "no %s beside %s, and text needs the model's tokenizer"
                        .formatted(TOKENIZER, shown()),
                    Remedy.ADD_TOKENIZER_OR_GIVE_TOKENS));
  }

  /** Whether the folder has a tokenizer. */
  public boolean hasTokenizer() {
    return find(TOKENIZER).isPresent();
  }

  private Optional<Path> find(String name) {
    Optional<Path> found =
        folders.stream().map(f -> f.resolve(name)).filter(Files::exists).findFirst();
    found.ifPresent(InputFile::requireOrdinary);
    return found;
  }

  /** A file beside the model, by its name or its path from the folder. */
  Optional<Path> beside(String name) {
    return find(name);
  }

  /**
   * The files that belong to the model, as far as they are there and count, by their paths from its
   * folder.
   */
  public Map<String, Path> companionsByName() {
    Map<String, Path> found = new LinkedHashMap<>();
    for (String name : COMPANIONS) {
      companion(name).ifPresent(file -> found.put(name, file));
    }
    return found;
  }

  /** The files that belong to the model, as far as they are there and count. */
  public List<Path> companions() {
    return List.copyOf(companionsByName().values());
  }

  private Optional<Path> companion(String name) {
    boolean counts =
        name.equals(ModelConfig.FILE)
            ? config == null
            : embeds || !SentenceFiles.NAMES.contains(name);
    return counts ? find(name) : Optional.empty();
  }

  /** Whether what goes with the model under a name is something else than a file that is there. */
  private boolean differs(String name, Path there) throws IOException {
    byte[] own = sentenceFiles.get(name);
    Path source = companion(name).orElse(null);
    return own != null
        ? !Arrays.equals(own, Files.readAllBytes(there))
        : source != null && Files.mismatch(source, there) >= 0;
  }

  /**
   * What {@link #copyCompanions} did.
   *
   * @param copied names of files that were put there
   * @param different names of files that were there already with another content, and stayed
   */
  public record Companions(List<String> copied, List<String> different) {}

  /**
   * The names of files that belong to the model and that another folder has with another content.
   */
  public List<String> differentCompanions(Path target) {
    List<String> different = new ArrayList<>();
    for (String name : COMPANIONS) {
      Path there = target.resolve(name);
      try {
        if (Files.isRegularFile(there) && differs(name, there)) {
          different.add(name);
        }
      } catch (IOException e) {
        throw new LoraGraphException("cannot read " + there + ": " + AtomicFile.reason(e), e);
      }
    }
    return different;
  }

  /**
   * Puts the files that belong to the model into another folder, which becomes a whole model
   * folder; files that are there already stay as they are.
   */
  public Companions copyCompanions(Path target) {
    try (StagedFiles files = new StagedFiles(target, false)) {
      Companions companions = stageCompanions(target, files);
      files.commit();
      return companions;
    }
  }

  /** The same among files that appear together. */
  public Companions stageCompanions(Path target, StagedFiles files) {
    List<String> copied = new ArrayList<>();
    List<String> different = new ArrayList<>();
    for (String name : COMPANIONS) {
      Path source = companion(name).orElse(null);
      byte[] own = sentenceFiles.get(name);
      if (source == null && own == null || files.isWritten(target.resolve(name))) {
        continue;
      }
      Path copy = target.resolve(name);
      try {
        if (!Files.exists(copy)) {
          files.write(
              copy,
              out -> {
                if (own != null) {
                  out.write(own);
                } else {
                  Files.copy(Objects.requireNonNull(source), out);
                }
              });
          copied.add(name);
        } else if (!Files.isRegularFile(copy) || differs(name, copy)) {
          different.add(name);
        }
      } catch (IOException e) {
        throw new LoraGraphException("cannot read " + copy + ": " + AtomicFile.reason(e), e);
      }
    }
    return new Companions(copied, different);
  }
}
