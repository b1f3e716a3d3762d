package io.github.loragraph.trainer;

import io.github.loragraph.task.ClassFigures;
import io.github.loragraph.task.Report;
import io.github.loragraph.task.Table;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The report of an evaluation before a stop: its figures were kept, and all else was measured again
 * with the same parameters, in a session whose last digits may differ.
 */
record KeptReport(Report again, Map<String, Double> kept) implements Report {
  @Override
  public int examples() {
    return again.examples();
  }

  @Override
  public double loss() {
    return kept.getOrDefault("loss", again.loss());
  }

  @Override
  public String scoreName() {
    return again.scoreName();
  }

  @Override
  public Map<String, Double> figures() {
    Map<String, Double> figures = new LinkedHashMap<>(again.figures());
    figures.replaceAll((name, figure) -> kept.getOrDefault(name, figure));
    return figures;
  }

  @Override
  public List<ClassFigures> classes() {
    return again.classes();
  }

  @Override
  public Map<String, Object> details(List<String> names) {
    return again.details(names);
  }

  @Override
  public List<String> remarks(List<String> names) {
    return again.remarks(names);
  }

  @Override
  public List<Table> tables(List<String> names) {
    return again.tables(names);
  }
}
