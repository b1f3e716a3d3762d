package io.github.loragraph.search;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.experiment.SettingsLayer;
import java.util.HashSet;
import java.util.List;
import java.util.Random;

/**
 * One of some values, without an order among them.
 *
 * @param values strings, numbers or booleans
 */
public record Choice(List<Object> values) implements Domain {
  /**
   * @throws LoraGraphException if there is no value, or one twice
   */
  public Choice {
    values = List.copyOf(values);
    if (values.isEmpty()) {
      throw new LoraGraphException("a choice needs at least one value");
    }
    // A setting is a text: 2 and 2.0 are one, and so are true and 'true'.
    HashSet<String> seen = new HashSet<>();
    for (Object value : values) {
      if (!seen.add(SettingsLayer.text(value))) {
        throw new LoraGraphException("a choice has %s twice".formatted(SettingsLayer.text(value)));
      }
    }
  }

  @Override
  public Object draw(Random random) {
    return values.get(random.nextInt(values.size()));
  }

  @Override
  public long size() {
    return values.size();
  }

  @Override
  public List<Object> grid(int points) {
    return values;
  }
}
