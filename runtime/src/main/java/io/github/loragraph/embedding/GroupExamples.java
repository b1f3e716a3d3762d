package io.github.loragraph.embedding;

import io.github.loragraph.data.Example;
import io.github.loragraph.data.ExampleEncoder;
import io.github.loragraph.data.Row;
import io.github.loragraph.data.TextGroup;
import io.github.loragraph.data.Values;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.training.CrossEntropyLoss;
import io.github.loragraph.training.Towers;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Groups of texts as models take them. Equal texts are encoded once and have one number, by which
 * losses know what else is right for an anchor. Where groups have different numbers of texts, the
 * smaller ones are filled up with their first text under the number that losses leave out.
 */
public final class GroupExamples {
  private static final int LEFT_OUT = (int) CrossEntropyLoss.IGNORE_INDEX;
  private static final String MASK = "attention_mask";

  private final List<TextGroup> groups;
  private final Side anchors;
  private final Side texts;

  /** One number for each text, on whichever side it stands. */
  private final Map<Object, Integer> numbers = new HashMap<>();

  /** The numbers of what is right for each anchor, by its number. */
  private final Map<Integer, Set<Integer>> right = new HashMap<>();

  private final int most;
  private final int padId;

  /** The different texts of one side, encoded, by what tells them apart. */
  private record Side(Map<Object, Integer> places, List<Example> examples) {
    static Side of(Collection<Row> rows, ExampleEncoder encoder, String prefix) {
      Map<Object, Integer> places = new LinkedHashMap<>();
      List<Row> different = new ArrayList<>();
      for (Row row : rows) {
        if (places.putIfAbsent(row.content(), different.size()) == null) {
          different.add(row.beginningWith(prefix));
        }
      }
      return new Side(places, encoder.withoutLabels(different));
    }

    int place(Row row) {
      return Objects.requireNonNull(places.get(row.content()));
    }

    Example example(Row row) {
      return examples.get(place(row));
    }
  }

  /**
   * Encodes all texts.
   *
   * @param anchorPrefix is put before each anchor, {@code "query: "} for example
   * @param textPrefix is put before each other text
   * @param padId fills up {@code input_ids}
   * @throws LoraGraphException if a text does not fit the model, or there is something to put
   *     before tokens
   */
  public GroupExamples(
      List<TextGroup> groups,
      ExampleEncoder encoder,
      String anchorPrefix,
      String textPrefix,
      long padId) {
    this.groups = List.copyOf(groups);
    this.padId = Math.toIntExact(padId);
    this.anchors = Side.of(groups.stream().map(TextGroup::anchor).toList(), encoder, anchorPrefix);
    this.texts =
        Side.of(groups.stream().flatMap(g -> g.texts().stream()).toList(), encoder, textPrefix);
    this.most = groups.stream().mapToInt(g -> g.texts().size()).max().orElse(0);
    for (TextGroup group : groups) {
      right
          .computeIfAbsent(number(group.anchor()), anchor -> new LinkedHashSet<>())
          .add(number(group.positive()));
      group.texts().forEach(this::number);
    }
  }

  private int number(Row row) {
    return numbers.computeIfAbsent(row.content(), k -> numbers.size());
  }

  /** The most texts beside an anchor. */
  public int most() {
    return most;
  }

  /** How many groups have fewer texts than the largest. */
  public long filledUp() {
    return groups.stream().filter(g -> g.texts().size() < most).count();
  }

  /**
   * How many scores are the number that stands for none: a loss that reads a score of each text
   * leaves those texts out.
   */
  public long withoutScore() {
    return groups.stream()
        .flatMap(group -> group.scores().stream())
        .filter(score -> score.floatValue() == LEFT_OUT)
        .count();
  }

  /** The different anchors, encoded. */
  public List<Example> anchors() {
    return anchors.examples();
  }

  /** The different texts that are no anchors, encoded. */
  public List<Example> texts() {
    return texts.examples();
  }

  /** Examples for both towers: all texts of a group go in. */
  public List<Example> forTowers(EmbeddingObjective loss) {
    List<Example> examples = new ArrayList<>(groups.size());
    for (TextGroup group : groups) {
      Map<String, Values> inputs = anchorInputs(group);
      group.texts().forEach(this::refuseOtherThanTokens);
      List<Example> others = filled(group).stream().map(texts::example).toList();
      for (String name : others.get(0).inputs().keySet()) {
        inputs.put(Towers.TEXTS + name, stacked(name, others));
      }
      examples.add(new Example(inputs, target(group, loss)));
    }
    return examples;
  }

  /**
   * Examples for the tower of the anchors, beside the vectors of the other texts.
   *
   * @param vectors of {@link #texts}
   */
  public List<Example> besideVectors(EmbeddingObjective loss, float[][] vectors) {
    List<Example> examples = new ArrayList<>(groups.size());
    for (TextGroup group : groups) {
      Map<String, Values> inputs = anchorInputs(group);
      int dimension = vectors[0].length;
      float[] all = new float[most * dimension];
      int place = 0;
      for (Row text : filled(group)) {
        System.arraycopy(vectors[texts.place(text)], 0, all, place, dimension);
        place += dimension;
      }
      inputs.put(Towers.VECTORS, Values.shaped(all, most, dimension));
      examples.add(new Example(inputs, target(group, loss)));
    }
    return examples;
  }

  /**
   * Examples for the tower of the anchors alone, whose labels are places among {@link #texts}: of
   * the right one, then of others that are right, too.
   */
  public List<Example> amongAll() {
    Map<Integer, Set<Integer>> places = new HashMap<>();
    for (TextGroup group : groups) {
      places
          .computeIfAbsent(number(group.anchor()), anchor -> new LinkedHashSet<>())
          .add(texts.place(group.positive()));
    }
    List<Example> examples = new ArrayList<>(groups.size());
    for (TextGroup group : groups) {
      int own = texts.place(group.positive());
      List<Integer> label = new ArrayList<>(List.of(own));
      Objects.requireNonNull(places.get(number(group.anchor()))).stream()
          .filter(place -> place != own)
          .forEach(label::add);
      @Nullable Integer itself = texts.places().get(group.anchor().content());
      if (itself != null && !label.contains(itself)) {
        label.add(itself);
      }
      examples.add(new Example(anchorInputs(group), integers(label)));
    }
    return examples;
  }

  private Map<String, Values> anchorInputs(TextGroup group) {
    Map<String, Values> inputs = new HashMap<>();
    anchors
        .example(group.anchor())
        .inputs()
        .forEach((name, values) -> inputs.put(Towers.ANCHOR + name, values));
    return inputs;
  }

  private List<Row> filled(TextGroup group) {
    List<Row> filled = new ArrayList<>(group.texts());
    while (filled.size() < most) {
      filled.add(group.positive());
    }
    return filled;
  }

  /** Texts of a group stand side by side, which is done for integers along one axis. */
  private void refuseOtherThanTokens(Row row) {
    texts
        .example(row)
        .inputs()
        .forEach(
            (name, values) -> {
              if (!values.areIntegers() || values.rank() != 1) {
                throw new LoraGraphException(
                    "%s: '%s' is no list of integers, as every input of a positive or negative has to be"
                        .formatted(row.place(), name));
              }
            });
  }

  private Values stacked(String name, List<Example> rows) {
    int longest = rows.stream().mapToInt(Example::length).max().orElseThrow();
    int[] all = new int[rows.size() * longest];
    int filler = name.equals("input_ids") ? padId : 0;
    for (int row = 0; row < rows.size(); row++) {
      Values values = Objects.requireNonNull(rows.get(row).inputs().get(name));
      for (int i = 0; i < longest; i++) {
        all[row * longest + i] = i < values.count() ? (int) values.get(i) : filler;
      }
    }
    return Values.shaped(all, rows.size(), longest);
  }

  private Values target(TextGroup group, EmbeddingObjective loss) {
    return switch (loss.labels()) {
      case SCORE -> Values.scalar((float) group.requireScore());
      case SCORES -> scores(group);
      case TEXTS -> {
        List<Integer> label = new ArrayList<>(List.of(number(group.anchor())));
        group.texts().forEach(text -> label.add(number(text)));
        while (label.size() <= most) {
          label.add(LEFT_OUT);
        }
        int own = number(group.positive());
        Objects.requireNonNull(right.get(number(group.anchor()))).stream()
            .filter(other -> other != own)
            .forEach(label::add);
        yield integers(label);
      }
    };
  }

  private Values scores(TextGroup group) {
    float[] scores = new float[most];
    List<Double> given = group.requireScores();
    for (int i = 0; i < most; i++) {
      scores[i] = i < given.size() ? given.get(i).floatValue() : LEFT_OUT;
    }
    return Values.of(scores);
  }

  private static Values integers(List<Integer> numbers) {
    return Values.of(numbers.stream().mapToInt(Integer::intValue).toArray());
  }

  /**
   * The texts of an example for both towers, the anchor first, each as it was encoded.
   *
   * @param example one of {@link #forTowers}
   */
  public static List<Example> singles(Example example) {
    Map<String, Values> anchor = new HashMap<>();
    Map<String, Values> others = new HashMap<>();
    example
        .inputs()
        .forEach(
            (name, values) -> {
              if (name.startsWith(Towers.ANCHOR)) {
                anchor.put(name.substring(Towers.ANCHOR.length()), values);
              } else {
                others.put(name.substring(Towers.TEXTS.length()), values);
              }
            });
    List<Example> singles = new ArrayList<>(List.of(new Example(anchor, null)));
    Values any = others.values().iterator().next();
    for (int i = 0; i < any.size(0); i++) {
      int length = length(others, i, any.size(1));
      Map<String, Values> one = new HashMap<>();
      int place = i;
      others.forEach((name, values) -> one.put(name, values.part(place, length)));
      singles.add(new Example(one, null));
    }
    return singles;
  }

  /** Without what fills a text up to the longest of its group. */
  private static int length(Map<String, Values> texts, int place, int longest) {
    @Nullable Values mask = texts.get(MASK);
    int length = longest;
    while (mask != null && length > 1 && mask.get(place * longest + length - 1) == 0) {
      length--;
    }
    return length;
  }
}
