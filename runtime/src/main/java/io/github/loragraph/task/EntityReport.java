package io.github.loragraph.task;

import io.github.loragraph.data.EntitySpan;
import io.github.loragraph.data.TagScheme;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * How well a model finds entities: an answer is right that has first word, last word and type. What
 * tags say, also where they keep to no scheme, is what {@link TagScheme#entities} takes them for,
 * as seqeval does; the figures over all entities are its micro averages.
 *
 * @param tokens the figures of the tags, each for itself
 * @param all the figures over all entities
 * @param types the figures of each type that is a label or an answer, sorted
 */
record EntityReport(ClassificationReport tokens, ClassFigures all, Map<String, ClassFigures> types)
    implements Report {

  /** Tags of sentences, as they are and as they are answered. */
  static final class Count {
    private static final int RIGHT = 0;
    private static final int CLAIMED = 1;
    private static final int SUPPORT = 2;

    private final Map<String, long[]> counts = new TreeMap<>();

    /** Adds a sentence. */
    void add(List<String> labels, List<String> answers) {
      List<EntitySpan> actual = TagScheme.entities(labels);
      Set<EntitySpan> there = new HashSet<>(actual);
      actual.forEach(entity -> of(entity)[SUPPORT]++);
      for (EntitySpan entity : TagScheme.entities(answers)) {
        of(entity)[CLAIMED]++;
        of(entity)[RIGHT] += there.contains(entity) ? 1 : 0;
      }
    }

    private long[] of(EntitySpan entity) {
      return counts.computeIfAbsent(entity.type(), type -> new long[3]);
    }

    EntityReport with(ClassificationReport tokens) {
      long[] sum = new long[3];
      Map<String, ClassFigures> types = new LinkedHashMap<>();
      counts.forEach(
          (type, count) -> {
            types.put(type, figures(count));
            for (int i = 0; i < sum.length; i++) {
              sum[i] += count[i];
            }
          });
      return new EntityReport(tokens, figures(sum), types);
    }

    private static ClassFigures figures(long[] count) {
      return ClassFigures.of(count[RIGHT], count[CLAIMED], count[SUPPORT]);
    }
  }

  @Override
  public int examples() {
    return tokens.examples();
  }

  @Override
  public double loss() {
    return tokens.loss();
  }

  @Override
  public String scoreName() {
    return "f1";
  }

  @Override
  public Map<String, Double> figures() {
    Map<String, Double> figures = new LinkedHashMap<>();
    figures.put("loss", loss());
    figures.put("precision", all.precision());
    figures.put("recall", all.recall());
    figures.put("f1", all.f1());
    tokens.figures().forEach(figures::putIfAbsent);
    return figures;
  }

  @Override
  public List<ClassFigures> classes() {
    return tokens.classes();
  }

  @Override
  public Map<String, Object> details(List<String> names) {
    List<Map<String, Object>> entries = new ArrayList<>();
    types.forEach(
        (type, figures) -> {
          Map<String, Object> entry = new LinkedHashMap<>();
          entry.put("type", type);
          entry.put("precision", Report.finite(figures.precision()));
          entry.put("recall", Report.finite(figures.recall()));
          entry.put("f1", Report.finite(figures.f1()));
          entry.put("support", figures.support());
          entries.add(entry);
        });
    Map<String, Object> details = new LinkedHashMap<>();
    details.put("entities", entries);
    details.putAll(tokens.details(names));
    return details;
  }

  @Override
  public List<String> remarks(List<String> names) {
    List<String> remarks = new ArrayList<>();
    remarks.add(
        "precision, recall and f1 are of entities, %,d of them; the other figures of the tags"
            .formatted(all.support()));
    remarks.addAll(tokens.remarks(names));
    return remarks;
  }

  @Override
  public List<Table> tables(List<String> names) {
    List<List<Object>> rows = new ArrayList<>();
    types.forEach((type, figures) -> rows.add(row(type, figures)));
    rows.add(row("all", all));
    List<Table> tables = new ArrayList<>();
    tables.add(new Table(List.of("entity", "precision", "recall", "F1", "entities"), rows));
    tables.addAll(tokens.tables(names));
    return tables;
  }

  private static List<Object> row(String name, ClassFigures figures) {
    return List.of(name, figures.precision(), figures.recall(), figures.f1(), figures.support());
  }
}
