package io.github.loragraph;

import io.github.loragraph.adapter.AdapterCombination;
import io.github.loragraph.adapter.AdapterDifference;
import io.github.loragraph.adapter.PeftAdapter;
import io.github.loragraph.adapter.PeftConfig;
import io.github.loragraph.adapter.ResizedAdapter;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.Remedy;
import io.github.loragraph.file.AtomicFile;
import io.github.loragraph.file.InputFile;
import io.github.loragraph.file.StagedFiles;
import io.github.loragraph.models.AdapterFolder;
import io.github.loragraph.models.ModelConfig;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * An adapter apart from any model, as PEFT (Hugging Face) keeps it in a folder. Immutable and safe
 * for use by several threads: whatever changes an adapter gives another one.
 *
 * <p>Its numbers stay in the memory map of the file that they were read from, so the file has to
 * stay as it is while the adapter is in use. There is nothing to close.
 */
public final class Adapter {
  /** What lies with an adapter, if it is of a model with labels: these, and how texts are read. */
  private static final List<String> COMPANIONS = List.of(ModelConfig.FILE, AdapterFolder.READING);

  private final PeftAdapter peft;
  private final @Nullable Path folder;
  private final String name;
  private final Map<String, String> companions;
  private final List<String> notes;

  private Adapter(
      PeftAdapter peft,
      @Nullable Path folder,
      String name,
      Map<String, String> companions,
      List<String> notes) {
    this.peft = peft;
    this.folder = folder;
    this.name = name;
    this.companions = Map.copyOf(companions);
    this.notes = List.copyOf(notes);
  }

  /**
   * Opens an adapter.
   *
   * @param path a folder in PEFT's layout, or the run folder of a training, which has one
   * @throws LoraGraphException if there is none, or it is damaged, or of a kind that is not
   *     supported; the message names the file
   */
  public static Adapter open(Path path) {
    Path folder = AdapterFolder.at(path).folder();
    PeftAdapter peft = PeftAdapter.read(folder);
    LoraGraphException.in(
        folder.resolve(PeftConfig.FILE),
        () -> {
          peft.config().requireSupported();
          return peft;
        });
    List<String> notes = new ArrayList<>();
    List<String> unknown = peft.config().unknownKeys();
    if (!unknown.isEmpty()) {
      notes.add(
          "%s has keys that are not known here and that count for nothing: %s"
              .formatted(folder.resolve(PeftConfig.FILE), String.join(", ", unknown)));
    }
    return new Adapter(peft, folder, path.toString(), companions(folder), notes);
  }

  /** The texts of what lies with the adapter, by file name. */
  private static Map<String, String> companions(Path folder) {
    Map<String, String> texts = new LinkedHashMap<>();
    for (String name : COMPANIONS) {
      Path file = folder.resolve(name);
      if (Files.exists(file)) {
        InputFile.requireOrdinary(file);
        try {
          texts.put(name, Files.readString(file));
        } catch (IOException e) {
          throw new LoraGraphException("cannot read " + file + ": " + AtomicFile.reason(e), e);
        }
      }
    }
    return texts;
  }

  PeftAdapter peft() {
    return peft;
  }

  /** What its answers mean; null where nothing says it. */
  @Nullable ModelConfig config() {
    String json = companions.get(ModelConfig.FILE);
    return json == null ? null : ModelConfig.of(name + "/" + ModelConfig.FILE, json);
  }

  /** What messages call it: the path that it was opened by, or what it was made of. */
  public String name() {
    return name;
  }

  /** Lines about what was chosen, guessed or not known when this was opened or made. */
  public List<String> notes() {
    return notes;
  }

  private <T> T named(Supplier<T> work) {
    return folder == null ? work.get() : LoraGraphException.in(folder, work);
  }

  /**
   * Its modules with norms and singular values.
   *
   * @throws LoraGraphException if tensors are missing or of other sizes, or have NaN in them
   */
  public AdapterInfo info() {
    return named(() -> AdapterInfo.of(peft));
  }

  /**
   * How far another adapter is from this one.
   *
   * @throws LoraGraphException if a module has another size there, or one adapter is damaged
   */
  public AdapterDiff diff(Adapter other) {
    named(peft::layers);
    other.named(other.peft::layers);
    return AdapterDiff.of(AdapterDifference.of(peft, name, other.peft, other.name));
  }

  /**
   * One adapter of several.
   *
   * @param weights as many as there are adapters; negative ones take away
   * @throws LoraGraphException if they do not fit together, or the configuration is not possible;
   *     see {@link CombinationConfig}
   */
  public static Adapter combine(
      List<Adapter> adapters, List<Double> weights, CombinationConfig config) {
    if (adapters.size() != weights.size()) {
      throw new LoraGraphException(
          "there are %d adapters and %d weights: give each one"
              .formatted(adapters.size(), weights.size()));
    }
    List<AdapterCombination.Input> inputs = new ArrayList<>();
    for (int i = 0; i < adapters.size(); i++) {
      Adapter adapter = adapters.get(i);
      inputs.add(new AdapterCombination.Input(adapter.name, adapter.peft, weights.get(i)));
    }
    AdapterCombination.Combined combined = AdapterCombination.of(inputs, config.options());
    List<String> notes = new ArrayList<>(combined.notes());
    return new Adapter(
        combined.adapter(),
        null,
        "a combination of " + String.join(" and ", adapters.stream().map(Adapter::name).toList()),
        companionsOf(adapters, config, notes),
        notes);
  }

  /** Labels and reading go with the head; where nobody said whose that is, with the first. */
  private static Map<String, String> companionsOf(
      List<Adapter> adapters, CombinationConfig config, List<String> notes) {
    List<Adapter> having = adapters.stream().filter(a -> !a.companions.isEmpty()).toList();
    if (having.isEmpty()) {
      return Map.of();
    }
    Adapter named = adapters.get(config.options().named());
    Adapter owner = named.companions.isEmpty() ? having.get(0) : named;
    if (having.stream().anyMatch(a -> !a.companions.equals(owner.companions))) {
      notes.add(
          "labels and how texts are read (%s) are those of %s; others have others"
              .formatted(String.join(", ", new TreeSet<>(owner.companions.keySet())), owner.name));
    }
    return owner.companions;
  }

  /**
   * An adapter of other ranks.
   *
   * @param adapter the new one
   * @param layers what became of each module
   * @param energy the share of the energy of all modules that is kept: of the sum of the squares of
   *     the singular values
   */
  public record Resized(Adapter adapter, List<ResizedLayer> layers, double energy) {
    public Resized {
      layers = List.copyOf(layers);
    }
  }

  /**
   * What became of one module.
   *
   * @param path its module path
   * @param before its rank before
   * @param rank its rank now
   * @param energy the share of its energy that is kept
   */
  public record ResizedLayer(String path, int before, int rank, double energy) {}

  /**
   * The nearest adapter of one rank, by singular values. The scale stays, and alpha goes with the
   * rank; where the rank is what it was, so is everything else. Of a higher rank there are zeros.
   *
   * @throws LoraGraphException if a module is too small for the rank, or the adapter is damaged
   */
  public Resized resize(int rank) {
    return resized(() -> ResizedAdapter.toRank(peft, rank), "rank " + rank);
  }

  /**
   * The adapter with the lowest rank in each module that keeps a share of its energy.
   *
   * @param energy above 0, at most 1
   * @throws LoraGraphException if the share is none, or the adapter is damaged
   */
  public Resized resizeToEnergy(double energy) {
    return resized(() -> ResizedAdapter.toEnergy(peft, energy), "energy " + energy);
  }

  private Resized resized(Supplier<ResizedAdapter> work, String how) {
    ResizedAdapter resized = named(work);
    List<ResizedLayer> layers =
        resized.layers().stream()
            .map(l -> new ResizedLayer(l.module(), l.before(), l.rank(), l.kept()))
            .toList();
    long higher = layers.stream().filter(layer -> layer.rank() > layer.before()).count();
    List<String> notes =
        higher == 0
            ? List.of()
            : List.of(
                "%d modules have a higher rank than before: what was added is zero, and training does not change it"
                    .formatted(higher));
    return new Resized(
        new Adapter(resized.adapter(), null, "%s at %s".formatted(name, how), companions, notes),
        layers,
        resized.kept());
  }

  /**
   * Writes the adapter in PEFT's layout: {@code adapter_config.json} and {@code
   * adapter_model.safetensors}, and with them what lay with it, {@code config.json} with labels and
   * {@code reading.yaml}; all or none.
   *
   * @param replace whether an adapter that is there may be replaced
   * @throws LoraGraphException if there is one already, or the folder cannot be written
   */
  public void save(Path target, boolean replace) {
    checkSave(target, replace);
    try (StagedFiles staged = new StagedFiles(target, replace)) {
      peft.stage(target, staged);
      companions.forEach(
          (file, text) ->
              staged.write(
                  target.resolve(file), out -> out.write(text.getBytes(StandardCharsets.UTF_8))));
      // Labels of an adapter that was there before are not this one's.
      for (String file : List.of(ModelConfig.FILE, AdapterFolder.READING)) {
        if (!companions.containsKey(file) && Files.exists(target.resolve(file))) {
          staged.deleteAfterwards(target.resolve(file));
        }
      }
      staged.commit();
    }
  }

  /**
   * Refuses a place to write to before there is anything to write.
   *
   * @throws LoraGraphException as {@link #save} does
   */
  public static void checkSave(Path target, boolean replace) {
    if (Files.exists(target) && !Files.isDirectory(target)) {
      throw new LoraGraphException(target + " is a file: name a folder to write to");
    }
    boolean hasFiles =
        Stream.of(
                PeftConfig.FILE, PeftAdapter.TENSORS_FILE, ModelConfig.FILE, AdapterFolder.READING)
            .anyMatch(file -> Files.exists(target.resolve(file)));
    if (hasFiles && !replace) {
      throw new LoraGraphException(
          "%s has files of an adapter already".formatted(target), Remedy.REPLACE_FOLDER);
    }
  }

  @Override
  public String toString() {
    return name;
  }
}
