"""A refiner brings itself: nothing else has to know what it is called or which options it has."""

import inspect
import sys

import pytest

from mmrefine.apis import build_refiner
from mmrefine.methods import Method, Option, shipped_methods, whole_number
from mmrefine.refiners import Refiner
from mmrefine.refiners.names import refiner_class, refiner_settings, registered_refiners
from mmrefine.registry import REFINERS

PLUGIN = """
from mmrefine.methods import Method, Option
from mmrefine.refiners import Refiner
from mmrefine.registry import REFINERS

@REFINERS.register_module()
class PluginRefiner(Refiner):
    method = Method('plugin', 'PluginNetwork', (Option('strength', int, 'how much'),))

    def __init__(self, model=None, checkpoint=None, device=None, strength=1):
        self.model, self.strength = model, strength

    def refine(self, image, masks):
        return masks
"""


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """An installed package, which nothing has imported, with a refiner of its own."""
    info = tmp_path / 'some_plugin-1.0.dist-info'
    info.mkdir()
    (info / 'METADATA').write_text('Metadata-Version: 2.1\nName: some-plugin\nVersion: 1.0\n')
    (info / 'entry_points.txt').write_text(
        '[mmrefine.refiners]\nplugin = some_plugin:PluginRefiner\n'
    )
    (tmp_path / 'some_plugin.py').write_text(PLUGIN)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    sys.modules.pop('some_plugin', None)
    REFINERS._module_dict.pop('PluginRefiner', None)


SHIPPED = {
    kind: part
    for kind, part in registered_refiners().items()
    if part.__module__.startswith('mmrefine.')
}


def test_every_shipped_refiner_has_a_shipped_method():
    methods = {part.method.name: part.method for part in SHIPPED.values()}
    assert methods == shipped_methods()
    assert len(methods) >= 2


@pytest.mark.parametrize('kind', sorted(SHIPPED))
def test_options_on_the_command_line_are_options_of_the_constructor(kind):
    part = SHIPPED[kind]
    names = [option.name for option in part.method.options]
    assert names
    assert set(names) <= set(inspect.signature(part).parameters)


def test_each_name_gives_the_refiner_that_has_it():
    for name, method in shipped_methods().items():
        assert refiner_class(refiner_settings(name)).method is method


def test_installed_refiners_are_found_by_name(plugin):
    assert 'some_plugin' not in sys.modules
    assert 'plugin' not in shipped_methods()
    assert build_refiner('plugin', strength=3).strength == 3


def test_names_that_could_be_meant_are_listed(plugin):
    text = r'expected bpr, plugin, segfix or an existing config file \.py, got plogin'
    with pytest.raises(ValueError, match=text):
        refiner_settings('plogin')


def test_config_that_trains_a_network_finds_the_refiner_by_its_model_type(plugin):
    config = plugin / 'train.py'
    config.write_text("custom_imports = dict(imports='some_plugin')\nmodel = dict(type='Other')")
    with pytest.raises(ValueError, match=r'nor a model of type .*mmrefine\.SegFix.*PluginNetwork'):
        refiner_settings(str(config))
    config.write_text(
        "custom_imports = dict(imports='some_plugin')\nmodel = dict(type='PluginNetwork')"
    )
    assert refiner_settings(str(config)) == dict(type='mmrefine.PluginRefiner', model=str(config))
    assert build_refiner(config).model == str(config)


def test_types_that_are_no_refiner_are_refused():
    with pytest.raises(ValueError, match=r'a type among mmrefine\.BPRRefiner, .*, got mmrefine\.X'):
        refiner_class(dict(type='mmrefine.X'))
    with pytest.raises(TypeError, match='expected a Refiner, got the type dict'):
        refiner_class(dict(type=dict))


def test_refiner_without_a_method_works_by_its_class():
    class Plain(Refiner):
        def refine(self, image, masks):
            return masks

    assert Plain.method is None
    assert isinstance(build_refiner(dict(type=Plain)), Plain)


def test_an_option_is_typed_as_its_name():
    option = Option('iou_threshold', whole_number, 'NMS')
    assert option.flag == '--iou-threshold'
    assert Method('x', options=(option,)).options[0].type('3') == 3
