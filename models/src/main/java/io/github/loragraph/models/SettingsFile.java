package io.github.loragraph.models;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.Remedy;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/** What a YAML file of settings is for, as the keys tell that no other kind has. */
public enum SettingsFile {
  EXPERIMENT("an experiment", Remedy.RUN_EXPERIMENT, Set.of("runs", "grid", "seeds")),
  SEARCH("a search", Remedy.RUN_SEARCH, Set.of("space", "trials", "objective")),
  TRAINING("a training", Remedy.TRAIN_BY, Set.of("data", "epochs", "steps", "lr"));

  /**
   * A key of experiments and searches that says how their trainings are made on SageMaker: who
   * submits them there reads it, all others pass it over.
   */
  public static final String SAGEMAKER = "sagemaker";

  private final String kind;
  private final Remedy remedy;
  private final Set<String> keys;

  SettingsFile(String kind, Remedy remedy, Set<String> keys) {
    this.kind = kind;
    this.remedy = remedy;
    this.keys = keys;
  }

  /**
   * Refuses a file of another kind. One with keys of several kinds, or of none, is left to who
   * reads it.
   *
   * @param file what the message begins with
   * @param given its keys
   * @throws LoraGraphException if it is one
   */
  public void require(String file, Collection<String> given) {
    List<SettingsFile> kinds = Stream.of(values()).filter(kind -> kind.isNamedBy(given)).toList();
    if (kinds.size() == 1 && kinds.get(0) != this) {
      SettingsFile other = kinds.get(0);
      throw new LoraGraphException(
          "%s is the file of %s, and not of %s".formatted(file, other.kind, kind),
          other.remedy.with(file));
    }
  }

  private boolean isNamedBy(Collection<String> given) {
    return !Collections.disjoint(keys, given);
  }
}
