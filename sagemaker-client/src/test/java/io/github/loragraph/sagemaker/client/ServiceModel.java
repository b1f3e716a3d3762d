package io.github.loragraph.sagemaker.client;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import software.amazon.awssdk.core.SdkField;
import software.amazon.awssdk.core.SdkPojo;
import software.amazon.awssdk.core.protocol.MarshallingType;
import software.amazon.awssdk.core.traits.ListTrait;
import software.amazon.awssdk.core.traits.MapTrait;
import software.amazon.awssdk.utils.builder.Buildable;

/**
 * Reads JSON by the model of the service that the SDK has: every key known, every value of its
 * type.
 */
final class ServiceModel {
  private ServiceModel() {}

  /**
   * @param builder of the class that the JSON is of
   */
  static Object read(SdkPojo builder, JsonNode json) {
    Map<String, SdkField<?>> fields = new HashMap<>();
    builder.sdkFields().forEach(field -> fields.put(field.locationName(), field));
    assertTrue(json.isObject(), "an object: " + json);
    json.properties()
        .forEach(
            entry -> {
              SdkField<?> field = fields.get(entry.getKey());
              assertTrue(field != null, () -> "the service has no " + entry.getKey());
              field.set(builder, value(field, entry.getValue()));
            });
    return ((Buildable) builder).build();
  }

  private static Object value(SdkField<?> field, JsonNode json) {
    MarshallingType<?> type = field.marshallingType();
    String of = field.locationName() + ": " + json;
    if (type == MarshallingType.STRING) {
      assertTrue(json.isTextual(), of);
      return json.textValue();
    }
    if (type == MarshallingType.INTEGER) {
      assertTrue(json.isInt(), of);
      return json.intValue();
    }
    if (type == MarshallingType.BOOLEAN) {
      assertTrue(json.isBoolean(), of);
      return json.booleanValue();
    }
    if (type == MarshallingType.SDK_POJO) {
      return read(field.constructor().get(), json);
    }
    if (type == MarshallingType.LIST) {
      assertTrue(json.isArray(), of);
      List<Object> list = new ArrayList<>();
      json.forEach(
          entry -> list.add(value(field.getTrait(ListTrait.class).memberFieldInfo(), entry)));
      return list;
    }
    if (type == MarshallingType.MAP) {
      assertTrue(json.isObject(), of);
      Map<String, Object> map = new LinkedHashMap<>();
      json.properties()
          .forEach(
              entry ->
                  map.put(
                      entry.getKey(),
                      value(field.getTrait(MapTrait.class).valueFieldInfo(), entry.getValue())));
      return map;
    }
    throw new AssertionError("no reader for " + of);
  }
}
