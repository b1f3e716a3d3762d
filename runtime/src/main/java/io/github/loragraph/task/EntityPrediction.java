package io.github.loragraph.task;

import io.github.loragraph.data.EntitySpan;
import io.github.loragraph.data.Sentence;
import io.github.loragraph.data.TagScheme;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * The entities of a text.
 *
 * @param entities in the order of the text
 * @param tokens the answers to the words
 * @param words as many texts
 * @param tagged whether the words were given, so that their tags are of use
 */
record EntityPrediction(
    List<Entity> entities, List<Prediction> tokens, List<String> words, boolean tagged)
    implements Prediction {
  /** The entities that the answers to the words of a sentence are. */
  static EntityPrediction of(Sentence sentence, List<Prediction> words) {
    List<String> tags = tags(words);
    List<Entity> entities = new ArrayList<>();
    for (EntitySpan span : TagScheme.entities(tags)) {
      double score = 0;
      for (int word = span.start(); word < span.end(); word++) {
        score += words.get(word).probability(tags.get(word));
      }
      int last = span.end() - 1;
      entities.add(
          new Entity(
              sentence.between(span.start(), last),
              sentence.lead() + sentence.starts()[span.start()],
              sentence.lead() + sentence.ends()[last],
              span.type(),
              score / (span.end() - span.start())));
    }
    return new EntityPrediction(
        List.copyOf(entities), List.copyOf(words), sentence.words(), sentence.given());
  }

  private static List<String> tags(List<Prediction> words) {
    return words.stream().map(word -> word.label().orElseThrow()).toList();
  }

  @Override
  public Map<String, Object> columns(List<String> texts) {
    Map<String, Object> columns = new LinkedHashMap<>();
    columns.put("predicted_entities", entities.stream().map(Entity::json).toList());
    if (tagged) {
      columns.put("predicted_labels", tags(tokens));
    }
    return columns;
  }

  @Override
  public Map<String, Object> json(List<String> texts) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("entities", entities.stream().map(Entity::json).toList());
    if (tagged) {
      json.put("labels", tags(tokens));
    }
    return json;
  }

  @Override
  public List<List<String>> lines(List<String> example, List<String> texts) {
    List<List<String>> lines = new ArrayList<>();
    for (Entity entity : entities) {
      lines.add(
          List.of(
              entity.type(),
              String.format(Locale.ROOT, "%.4f", entity.score()),
              Integer.toString(entity.start()),
              Integer.toString(entity.end()),
              entity.text()));
    }
    lines.add(List.of());
    return lines;
  }
}
