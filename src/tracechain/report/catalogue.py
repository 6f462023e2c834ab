"""All texts of the pages, in English and in Chinese: key -> (English, Chinese).

A page carries both and switches without being loaded again, so each key has both, with the same places for values.
A text with `|` has a form for one and a form for any other number, told apart by the value `n`. Keys that begin with a
word of `FOR_SCRIPTS` are what the scripts of a page put together themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

from tracechain.custody import describe
from tracechain.rules import clause_of

__all__ = [
    "FINDINGS",
    "FOR_SCRIPTS",
    "LANGUAGES",
    "TEXTS",
    "VIOLATIONS",
    "Both",
    "Language",
    "both",
    "for_scripts",
    "form",
    "known",
    "violation",
]

Language: TypeAlias = Literal["en", "zh"]
LANGUAGES: Final[tuple[Language, ...]] = ("en", "zh")
#: A text in the order of LANGUAGES.
Both: TypeAlias = tuple[str, str]

FOR_SCRIPTS = ("js", "group", "do", "custody", "flag", "unresolved", "layer")

TEXTS: Mapping[str, Both] = MappingProxyType({
    # ---- both pages
    "page.language": ("Language", "语言"),
    "page.made": ("made {time}", "生成于 {time}"),
    "page.script": (
        "This part is drawn by a script of the page, and scripts are switched off.",
        "此部分由页面自带脚本绘制，而脚本已被禁用。",
    ),
    "page.skip": ("Skip to the content", "跳到正文"),
    "page.foot": (
        (
            "This page is complete in itself: it asks nothing of the network. What it says is what the ledger held "
            "when the page was made; the ledger is the evidence, not the page."
        ),
        "本页自成一体，不访问网络。内容为生成时账本所载；以账本为证，不以本页为证。",
    ),
    "page.index": ("entry {index}", "条目 {index}"),
    "page.unknown": ("not known", "不明"),
    "page.buyer": ("buyer {token}", "购买者 {token}"),
    "page.incomplete": ("This does not tell everything", "以下内容并不完整"),
    "page.more": ("and 1 more|and {n} more", "另有 {n} 项"),
    # ---- timeline
    "timeline.title": ("History of {code}", "{code} 追溯"),
    "timeline.kicker": ("History of one code", "单码追溯"),
    "timeline.absent": ("This code is not in the ledger", "账本中没有此码"),
    "timeline.absent_more": (
        "No entry names it. Check the code, or ask the ledger that should have it.",
        "没有条目提到它。请核对编码，或查询应当记录它的账本。",
    ),
    "timeline.where": ("Where it is", "所在地点"),
    "timeline.who": ("Who has it", "持有方"),
    "timeline.in": ("In what", "所在容器"),
    "timeline.state": ("State", "状态"),
    "timeline.seen": ("last seen {time}", "最近见于 {time}"),
    "timeline.seen_as": ("seen as {container}, which it was in", "随容器 {container} 被扫描"),
    "timeline.unseen": ("never seen anywhere", "从未在任何地点被记录"),
    "timeline.loose": ("in no container", "不在任何容器中"),
    "timeline.expires": ("expires {date}", "有效期至 {date}"),
    "timeline.holder.place": ("the place", "该地点"),
    "timeline.holder.carrier": ("a carrier", "承运方"),
    "timeline.holder.buyer": ("the buyer, by an erasable token", "购买者（可擦除的代号）"),
    "timeline.holder.none": ("nobody: it has ended", "无：已终止"),
    "timeline.holder.unknown": ("nobody knows", "不明"),
    "timeline.good": ("The step verifies.|All {n} steps verify.", "全部 {n} 步均通过验证。"),
    "timeline.bad": (
        "1 of {all} steps does not verify.|{n} of {all} steps do not verify.",
        "{all} 步中有 {n} 步未通过验证。",
    ),
    "timeline.bad_log": (
        "The steps verify, the log around them does not.",
        "各步通过验证，但其所在日志未通过。",
    ),
    "timeline.broken": ("A rule was broken once.|Rules were broken {n} times.", "违反规则 {n} 次。"),
    "timeline.findings": ("What does not verify", "未通过验证之处"),
    "timeline.kin": ("Other codes of the same goods", "同一货物的其他编码"),
    "timeline.made_of": ("made of", "来源于"),
    "timeline.made_into": ("made into", "变更为"),
    "timeline.successor": (
        "It bears another code now: follow that one.",
        "该货物现用另一编码：请继续追查新码。",
    ),
    "timeline.notes": ("What was not checked", "未核查之处"),
    "timeline.way": ("Its way", "流转路径"),
    "timeline.way_note": (
        "From left to right in order of the stated times; long waits are drawn shorter than they were.",
        "自左至右按所述时间排列；较长的间隔已压缩。",
    ),
    "timeline.way_label": (
        "The places it was seen at, in order of time, and below them the containers it was in",
        "按时间先后的所到地点，其下为所在容器",
    ),
    "timeline.way_none": ("No step says where it was.", "没有任何步骤说明其所在地点。"),
    "timeline.way_level": ("in", "装入"),
    "timeline.way_outer": ("in that", "外层"),
    "timeline.way_others": ("1 other place|{n} other places", "其他 {n} 个地点"),
    "timeline.way_left_out": ("Only the latest {n} sightings are drawn.", "仅绘出最近 {n} 次记录。"),
    "timeline.mark.own": ("seen itself", "自身被扫描"),
    "timeline.mark.container": ("seen with its container", "随容器被扫描"),
    "timeline.mark.kin": ("under another code", "以另一编码"),
    "timeline.mark.voided": ("declared an error", "已声明有误"),
    "timeline.now": ("now", "现在"),
    "timeline.steps": ("Step by step", "逐步记录"),
    "timeline.filter": ("Filter the steps", "筛选步骤"),
    "timeline.left_out": (
        (
            "The oldest step is left out; the command line shows all with --json.|"
            "The oldest {n} steps are left out; the command line shows all with --json."
        ),
        "最早的 {n} 步未列出；命令行加 --json 可得全部。",
    ),
    "timeline.relation.before": ("as {code}, which it was made of", "以前身编码 {code}"),
    "timeline.relation.after": ("as {code}, which was made of it", "以后续编码 {code}"),
    "timeline.show.own": ("own", "自身"),
    "timeline.show.container": ("with containers", "随容器"),
    "timeline.show.kin": ("under other codes", "其他编码"),
    "timeline.no_match": ("No step matches.", "没有符合的步骤。"),
    "timeline.via": ("via {containers}", "经由 {containers}"),
    "timeline.by": ("stated by {author}", "由 {author} 陈述"),
    "timeline.by_ledger": ("stated by the ledger itself", "由账本自身陈述"),
    "timeline.received": ("received {time}", "接收于 {time}"),
    "timeline.after": ("its state after this step", "此步骤之后的状态"),
    "timeline.verifies": ("verifies", "通过验证"),
    "timeline.fails": ("does not verify", "未通过验证"),
    "timeline.voided": ("declared an error by entry {index}", "已由条目 {index} 声明有误"),
    "timeline.declares": ("takes an earlier entry back", "撤回先前条目"),
    "timeline.gone": ("its content is not kept any more", "内容已不再保存"),
    "timeline.register": ("a register", "登记册"),
    # ---- what a step says
    "detail.codes": ("codes", "编码数"),
    "detail.into": ("into", "变更为"),
    "detail.of": ("made of", "来源于"),
    "detail.in": ("in", "装入"),
    "detail.from_container": ("out of", "取出自"),
    "detail.lot": ("lot", "批号"),
    "detail.expires": ("expires", "有效期至"),
    "detail.location": ("then at", "随后位于"),
    "detail.seller": ("from", "来自"),
    "detail.to": ("to", "去往"),
    "detail.carrier": ("carrier", "承运方"),
    "detail.buyer": ("buyer", "购买者"),
    "detail.amount": ("amount in yuan", "金额（元）"),
    "detail.Temperature": ("temperature", "温度"),
    "detail.RelativeHumidity": ("humidity", "湿度"),
    "document.document": ("document", "单证"),
    "document.po": ("order", "订单"),
    "document.payment": ("payment", "支付单"),
    "document.bol": ("bill of lading", "提运单"),
    "document.desadv": ("despatch advice", "发货通知"),
    "document.inv": ("invoice", "发票"),
    "document.rma": ("return application", "退货申请"),
    "document.export_return": ("export return", "出口退货单"),
    "document.recall": ("recall", "召回"),
    "document.cert": ("certificate", "证书"),
    # ---- steps in words: the names of scan files
    "step.commission": ("commissioned", "赋码"),
    "step.pack": ("packed", "装箱"),
    "step.unpack": ("unpacked", "拆箱"),
    "step.ship": ("shipped", "发运"),
    "step.arrive": ("arrived", "到达"),
    "step.receive": ("received", "收货"),
    "step.bond_in": ("taken into bond", "保税入库"),
    "step.stocktake": ("counted in stock", "盘点"),
    "step.order": ("ordered", "下单"),
    "step.payment": ("paid", "支付"),
    "step.cancel": ("order cancelled", "取消订单"),
    "step.clear": ("cleared by customs", "清关"),
    "step.sell": ("sold", "销售"),
    "step.sell_part": ("sold in part", "部分销售"),
    "step.transfer_store": ("sent to a store", "调拨门店"),
    "step.deliver": ("delivered", "交付"),
    "step.pickup": ("picked up", "自提"),
    "step.deliver_part": ("delivered in part", "部分交付"),
    "step.apply_return": ("return applied for", "申请退货"),
    "step.return_in": ("returned", "退回入库"),
    "step.export_return": ("returned from export", "出口退回"),
    "step.verify": ("inspected: conformant", "查验合格"),
    "step.verify_failed": ("inspected: not conformant", "查验不合格"),
    "step.hold": ("held", "扣留"),
    "step.release": ("released", "放行"),
    "step.recall": ("recalled", "召回"),
    "step.repair": ("repaired", "维修"),
    "step.relabel": ("relabelled", "换标"),
    "step.export": ("exported", "出口"),
    "step.reexport": ("re-exported", "复运出境"),
    "step.sample": ("taken as a sample", "抽样"),
    "step.destroy": ("destroyed", "销毁"),
    "step.decommission": ("decommissioned", "注销"),
    "step.steal": ("reported stolen", "报失窃"),
    "step.sensor": ("measured", "测量"),
    "step.attach_logger": ("logger attached", "安装记录仪"),
    "step.detach_logger": ("logger taken off", "拆除记录仪"),
    "step.transform": ("made into other goods", "加工转换"),
    "step.see": ("seen", "记录"),
    "step.end": ("ended", "终止"),
    "step.note": ("noted", "登记"),
    "step.undo": ("taken back", "撤回"),
    # ---- states
    "custody.NONE": ("not commissioned", "无记录"),
    "custody.ACTIVE": ("active", "已赋码"),
    "custody.DEAD": ("ended", "已终止"),
    "custody.TRANSIT": ("in transit", "在途"),
    "custody.BONDED": ("bonded", "保税在库"),
    "custody.RESERVED": ("ordered", "已下单"),
    "custody.CLEARED": ("cleared", "已清关"),
    "custody.STORE": ("at a store", "在门店"),
    "custody.SOLD": ("sold", "已售"),
    "custody.DELIVERED": ("delivered", "已交付"),
    "custody.RETURNED": ("returned", "已退回"),
    "custody.REWORK": ("in rework", "返工中"),
    "custody.EXPORTED": ("exported", "已出口"),
    "flag.held": ("held", "扣留"),
    "flag.recalled": ("recalled", "召回"),
    "flag.stolen": ("stolen", "失窃"),
    "flag.conformant": ("conformant", "合格"),
    "flag.paid": ("paid", "已支付"),
    # ---- recall
    "recall.title": ("Recall: {what}", "召回：{what}"),
    "recall.kicker": ("Recall", "召回"),
    "recall.several": ("several criteria", "多项条件"),
    "recall.ledgers": ("ledger {ids}|ledgers {ids}", "账本 {ids}"),
    "recall.size": ("1 entry|{n} entries", "{n} 个条目"),
    "recall.affected": ("unit is affected|units are affected", "件受影响"),
    "recall.complete": (
        "Nothing was left unresolved: the list is complete as far as the data goes.",
        "没有未查明之处：就现有数据而言，清单完整。",
    ),
    "recall.unresolved": (
        (
            "1 thing could not be resolved: more units may be affected than are listed.|"
            "{n} things could not be resolved: more units may be affected than are listed."
        ),
        "有 {n} 处未能查明：实际受影响的数量可能多于所列。",
    ),
    "recall.case": ("The case", "召回经过"),
    "recall.phase.opened": ("opened", "启动"),
    "recall.phase.notified": ("notified", "通知"),
    "recall.phase.closed": ("closed", "结案"),
    "recall.open_reason": ("closed with packs outstanding: {why}", "未收回即结案的理由：{why}"),
    "recall.by": ("by {who}", "由 {who}"),
    "recall.class": ("class {n}", "{n} 级召回"),
    "recall.authority": ("authority: {who}", "主管部门：{who}"),
    "recall.progress": ("How far it has come", "进展"),
    "recall.open": ("open", "进行中"),
    "recall.ended": ("closed", "已结案"),
    "recall.locked": ("locked", "已锁定"),
    "recall.returned": ("returned", "已退回"),
    "recall.destroyed": ("destroyed", "已销毁"),
    "recall.outstanding": ("outstanding", "未收回"),
    "recall.effectiveness": ("effectiveness", "召回完成率"),
    "recall.effectiveness_note": (
        "the share of the affected units that is not outstanding",
        "受影响单元中已受控者的比例",
    ),
    "recall.reached": ("{n} of {all} reached", "已触达 {n} / {all} 件"),
    "recall.bar": (
        "locked {locked}, returned {returned}, destroyed {destroyed}, outstanding {outstanding}",
        "已锁定 {locked}，已退回 {returned}，已销毁 {destroyed}，未收回 {outstanding}",
    ),
    "recall.todo": ("What has to be done", "须采取的措施"),
    "recall.spread": ("Where they went", "流向图"),
    "recall.spread_note": (
        (
            "From maker to holder, bands as wide as the units are many. The largest of each column are shown, the "
            "others are folded: open them by a click. A click on anything else shows its units in the table."
        ),
        "从生产企业到持有方，带宽表示件数。每列显示最大者，其余折叠，点击展开；点击其他节点，下表只显示相应单元。",
    ),
    "recall.states": ("In what state they are", "状态分布"),
    "recall.states_note": (
        "Areas are as large as the units are many. A click shows those units in the table.",
        "面积表示件数。点击后下表只显示相应单元。",
    ),
    "recall.tables": ("Lists", "清单"),
    "recall.left_out": (
        (
            "This page carries the first {shown} of {all} units in order of their codes; the counts above are of "
            "all of them. The option --csv writes all."
        ),
        "共 {all} 件，本页按编码顺序载有前 {shown} 件；以上计数为全部。选项 --csv 可导出全部。",
    ),
    # ---- what has to be done
    "group.stock": ("in stock", "在库"),
    "group.transit": ("in transit", "在途"),
    "group.store": ("at stores", "在门店"),
    "group.sold": ("sold", "已售"),
    "group.exported": ("exported", "已出口"),
    "group.destroyed": ("destroyed", "已销毁"),
    "group.unknown": ("unknown", "下落不明"),
    "do.stock": ("lock", "锁定"),
    "do.transit": ("stop", "拦截"),
    "do.store": ("pull", "下架"),
    "do.sold": ("notify", "通知"),
    "do.exported": ("ask back", "要求退回"),
    "do.destroyed": ("nothing", "无须处理"),
    "do.unknown": ("look for", "查找"),
    # ---- why something is not resolved
    "unresolved.pruned": ("a content is not kept any more", "内容已不再保存"),
    "unresolved.cycle": ("containers are said to hold each other", "容器互相包含"),
    "unresolved.contradiction": ("the latest sighting, or a packing, broke a rule", "最近记录或装箱违反规则"),
    "unresolved.unknown": ("a code that no entry names", "没有条目提到的编码"),
    "unresolved.left": ("it went to where the data does not follow", "已流向数据之外"),
    "unresolved.class": ("packed by class and quantity, without codes", "仅按品种和数量装箱，未记编码"),
    "unresolved.damaged": ("rows or contents that cannot be read", "记录损坏，无法读取"),
    # ---- columns of the picture
    "layer.maker": ("Makers", "生产企业"),
    "layer.lot": ("Lots", "批次"),
    "layer.container": ("Containers", "容器"),
    "layer.place": ("Places", "地点"),
    "layer.holder": ("Holders", "持有方"),
    # ---- what the scripts say
    "js.unit": ("1 unit|{n} units", "{n} 件"),
    "js.band": ("{from} → {to}: {units}", "{from} → {to}：{units}"),
    "js.others": ("1 other|{n} others", "其他 {n} 个"),
    "js.buyers": ("1 buyer|{n} buyers", "{n} 位购买者"),
    "js.open": ("open", "展开"),
    "js.fold": ("Fold again", "重新折叠"),
    "js.too_many": ("not listed one by one: see the tables", "不逐一列出，见下表"),
    "js.loose": ("in no container", "不在容器中"),
    "js.buyer": ("buyer {token}", "购买者 {token}"),
    "js.no_maker": ("maker not known", "生产企业不明"),
    "js.no_lot": ("lot not known", "批号不明"),
    "js.no_place": ("place not known", "地点不明"),
    "js.no_holder": ("nobody is known", "持有方不明"),
    "js.lot_name": ("lot {lot}", "批号 {lot}"),
    "js.spread_label": (
        "The spread of the units from makers to holders; arrow keys move, Enter opens",
        "单元从生产企业到持有方的流向；方向键移动，回车打开",
    ),
    "js.nothing": ("Nothing to show.", "没有内容。"),
    "js.rows": ("{first}–{last} of {n}", "第 {first}–{last} 行，共 {n} 行"),
    "js.rows_of": ("{first}–{last} of {n} that match, {all} in all", "第 {first}–{last} 行，符合 {n} 行，共 {all} 行"),
    "js.no_rows": ("nothing matches", "没有符合的行"),
    "js.before": ("Previous", "上一页"),
    "js.after": ("Next", "下一页"),
    "js.filter": ("Filter", "筛选"),
    "js.filter_hint": ("Filter by code, name, place …", "按编码、名称、地点筛选……"),
    "js.facet": ("only {what}", "仅 {what}"),
    "js.facet_remove": ("remove the filter {what}", "移除筛选 {what}"),
    "js.sort": ("sort by {what}", "按 {what} 排序"),
    "js.tab.parties": ("To be told", "须通知方"),
    "js.tab.places": ("Places", "地点"),
    "js.tab.lots": ("Lots", "批次"),
    "js.tab.units": ("Units", "单元"),
    "js.tab.unresolved": ("Not resolved", "未能查明"),
    "js.carried": ("{shown} of {all} are listed here; --csv has all", "此处列出 {shown} / {all}；--csv 可得全部"),
    "js.col.party": ("Party", "当事方"),
    "js.col.units": ("Units", "件数"),
    "js.col.place": ("Place", "地点"),
    "js.col.product": ("Product", "产品"),
    "js.col.lot": ("Lot", "批号"),
    "js.col.maker": ("Maker", "生产企业"),
    "js.col.code": ("Code", "编码"),
    "js.col.state": ("State", "状态"),
    "js.col.do": ("To do", "措施"),
    "js.col.holder": ("Holder", "持有方"),
    "js.col.container": ("Container", "容器"),
    "js.col.time": ("Last seen (+08:00)", "最近记录（+08:00）"),
    "js.col.last": ("Entry", "条目"),
    "js.col.kind": ("Why", "原因"),
    "js.col.subject": ("Of", "对象"),
    "js.col.detail": ("Detail", "说明"),
    "js.col.custody": ("Custody", "状态"),
    "js.col.group": ("Group", "类别"),
    "js.marked": ("of these {list}", "其中 {list}"),
    # ---- what verification leaves open; the English is theirs who say it
    "note.NO_KEY": ("no verifier key was given: signatures were checked against the key that the log names itself",
                    "未提供验证公钥：签名仅以日志自称的公钥核对"),
    "note.UNWITNESSED": (
        "UNWITNESSED: no witness's cosignature was asked for, so an operator with all keys is taken at his word",
        "UNWITNESSED：未要求见证方联署，即采信持有全部密钥的运营方",
    ),
    "note.RULES": (
        "rules that depend on registers, buyers, documents and dates were not judged again: a replay does that",
        "依赖登记册、购买者、单证和日期的规则未重新判定：重放可判定",
    ),
    "note.PROVED": (
        (
            "each entry was held against the signed tree, with its content and rows; who stated it is checked by "
            "`verify` and verify_unit; that there is no later one is the word of the index"
        ),
        (
            "每个条目连同其内容和单元记录均已对照签名树核验；陈述者的身份由 `verify` 和 verify_unit 核验；"
            "此后再无条目一说，则以索引为准"
        ),
    ),
})  # fmt: skip

#: The Chinese of violations, by name; the English is that of `tracechain.rules`.
VIOLATIONS: Mapping[str, str] = MappingProxyType({
    "DEAD_PACK": "该码此前已终止：包装已销毁、抽样、换标或注销",
    "UNKNOWN_CODE": "该码从未赋予任何包装",
    "ALREADY_COMMISSIONED": "该码属于此前已赋码的包装",
    "CUSTODY": "包装所处状态不容许此步骤：缺少前序步骤，或已进入后续环节",
    "SOLD_BEFORE_CLEARANCE": "清关前即已销售",
    "SECONDARY_SALE": "该码此前已售出：二次销售，或编码被复制",
    "THREE_DOC": "订单、支付单、物流单不一致，或缺少其一",
    "HELD": "包装处于扣留状态",
    "RECALLED": "包装已被召回",
    "STOLEN": "包装已报失窃",
    "UNVERIFIED_RETURN": "退回的包装未经查验合格即被放行",
    "NOT_ORIGINAL": "以出口退货名义退回之物，从未以此码出口",
    "NOT_UNDER_BOND": "维修和换标须在保税状态下进行，而该包装不在保税状态",
    "OFFLINE_PICKUP_UNLICENSED": "在未获许可处交付或调拨保税货物",
    "ZONE": "该地点不在海关确认的网购保税进口（1210）区域内",
    "NON_CONSUMER": "购买者不是个人消费者，或订单未说明购买者",
    "SCOPE": "产品不在试点品种清单内",
    "MERCHANT_SUSPENDED": "产品商户或销售方已被暂停，或从未准入",
    "LIMIT": "订单金额或购买者年度累计超过个人购买限额",
    "EXPIRED_LOCK": "包装已过有效期并锁定",
    "WRONG_BUYER": "取货人不是下单人",
    "RETURN_LATE": "退货申请或退回超过期限",
    "EXPORT_RETURN_LATE": "出口包装超过期限退回",
    "LOT_MISMATCH": "标签批号与赋码时不一致",
    "EXPIRY_MISMATCH": "标签有效期与赋码时不一致",
    "UNDO_MISMATCH": "被声明有误的并非该包装的最后一步",
    "UNDO_LATE": "可撤回的期限已过",
    "UNDO_ACTOR": "撤回者并非原陈述者",
    "UNDO_PLACE": "撤回地点与发生地点不同",
    "UNDO_EXPIRED": "包装已过有效期，不能撤回",
    "UNDO_RECALLED": "包装已被召回，不能撤回",
    "UNDO_STOLEN": "包装已报失窃，不能撤回",
    "UNDO_SUPPLIED": "包装已交付购买者，不能撤回",
    "PRODUCT_UNREGISTERED": "产品没有登记档案",
    "PRODUCT_BARRED": "审查发现含管制成分：不得发布信息，也不得销售",
    "PLACE_UNREGISTERED": "该地点未登记或已关闭",
    "CARRIER_UNASSESSED": "承运方没有有效评估，或评估未通过",
    "PLATFORM_SELLS": "以平台自身为销售方",
    "SERVICE_STOPPED": "监管部门已责令停止对该产品、商户或试点的服务",
    "ALREADY_PACKED": "该码已在另一容器中",
    "PACKING_CYCLE": "容器装入其自身所含之物：互相包含",
    "NOT_PACKED": "被取出之码并不在该容器中",
})  # fmt: skip

#: The Chinese of findings, by code; what a finding says beside that is English, as verification puts it.
FINDINGS: Mapping[str, str] = MappingProxyType({
    "BUNDLE_FILE": "数据包内文件不合规定",
    "BUNDLE_TILE": "哈希瓦片与条目头不符",
    "BUNDLE_SURPLUS": "多余的文件",
    "PROOF": "证明未导向签名树",
    "CONSISTENCY": "未证明系旧检查点之延续",
    "CHECKPOINT_MISSING": "缺少检查点",
    "CHECKPOINT_MALFORMED": "检查点格式有误",
    "CHECKPOINT_SIGNATURE": "检查点签名无效",
    "CHECKPOINT_ORIGIN": "检查点来自其他日志",
    "CHECKPOINT_SIZE": "检查点的条目数不符",
    "TREE_ROOT": "默克尔树根不符",
    "TREE_NODE": "默克尔树节点不符",
    "TAIL_SURPLUS": "末尾有未签名的条目",
    "ROLLBACK": "日志被回滚",
    "FORK": "日志分叉",
    "ENTRY_MISSING": "缺少条目",
    "ENTRY_DUPLICATED": "条目重复",
    "ENTRY_ORDER": "条目次序有误",
    "HEADER_MALFORMED": "条目头格式有误",
    "HEADER_COUNTS": "条目头计数不符",
    "TIME_DECREASED": "接收时间倒退",
    "TIME_JUMP": "接收时间跳跃",
    "TIME_FLAG": "时间标志不符",
    "TIME_AHEAD": "接收时间晚于核验时间",
    "KEEP_UNTIL": "保存期限与政策不符",
    "CONTENT_MISSING": "缺少内容",
    "CONTENT_COMMITMENT": "内容与其承诺值不符",
    "CONTENT_MALFORMED": "内容格式有误",
    "ROWS_MISSING": "缺少单元记录",
    "ROWS_MALFORMED": "单元记录格式有误",
    "ROW_ROOT": "单元记录与条目头不符",
    "ROW_SUBJECTS": "单元记录的对象与内容不符",
    "ROW_ACT": "单元记录的步骤与内容不符",
    "ROW_FIRST": "首条记录不符",
    "ROW_LINK": "单元链断裂",
    "ROW_STATE": "单元状态不符",
    "ROW_VIOLATIONS": "违规记录不符",
    "SUBJECT_LOST": "对象消失",
    "PRUNE_RECORD": "清理记录有误",
    "PRUNE_POLICY": "清理所依据的保存政策不符",
    "PRUNE_WAIT": "清理公示期不足",
    "PRUNE_EARLY": "保存期未满即被清理",
    "PRUNE_HELD": "留存令期间被清理",
    "PRUNE_ORDER": "清理次序有误",
    "PRUNE_KEPT": "记为已清理但仍存在",
    "STATEMENT_MALFORMED": "陈述格式有误",
    "STATEMENT_LEDGER": "陈述属于其他账本",
    "STATEMENT_AUTHOR": "陈述的作者不符",
    "STATEMENT_SIGNATURE": "陈述签名无效",
    "STATEMENT_COVERAGE": "陈述未准确覆盖条目",
    "STATEMENT_ROOT": "陈述的根不符",
    "EVENT_UNCOVERED": "事件没有陈述为证",
    "AUTHOR_UNKNOWN": "作者密钥未获授权",
    "AUTHOR_REVOKED": "作者密钥已被吊销",
    "AUTHOR_SCOPE": "超出作者密钥的授权范围",
    "AUTHOR_GAP": "作者序号不连续",
    "AUTHOR_CHAIN": "作者的陈述链断裂",
    "EQUIVOCATION": "作者自相矛盾的两份陈述",
    "GENESIS": "创世记录有误",
    "KEY_RECORD": "密钥记录有误",
    "CLOCK_RECORD": "时钟记录有误",
    "EPOCH_RECORD": "纪元记录有误",
    "EPOCH_LOST": "有条目已遗失",
    "EVIDENCE_RECORD": "证据记录有误",
    "SETTLEMENT": "结清记录有误",
    "SEAL_RECORD": "封存记录有误",
    "SEAL_ROOT": "封存根与日志不符",
    "SEAL_NOTE": "审计方封存声明无效",
    "CHAIN_INCOMPLETE": "流转历史不完整",
    "ABSENCE": "未能证明编码从未出现",
    "DISCLOSURE": "披露的字段值与承诺不符",
    "WITNESS_SIGNATURE": "见证签名无效",
    "WITNESS_QUORUM": "见证方数量不足",
    "WITNESS_TIME": "接收时间晚于见证时间",
    "INDEX": "索引与日志不符",
})  # fmt: skip


def form(key: str, language: int, n: object = None) -> str:
    """The text of `key` in LANGUAGES[language], in the form for the number `n`; KeyError for an unknown key."""
    one, bar, other = TEXTS[key][language].partition("|")
    return other if bar and n not in (1, "1") else one


def both(key: str, **values: object) -> Both:
    """The text of `key` in both languages, with its values as they are."""
    english, chinese = (form(key, at, values.get("n")).format(**values) for at in range(len(LANGUAGES)))
    return english, chinese


def known(key: str, otherwise: str) -> Both:
    """The text of `key` in both languages, or `otherwise` where there is none: for words of the ledger."""
    return TEXTS.get(key, (otherwise, otherwise))


def violation(code: int) -> Both:
    """What a violation means."""
    words = clause_of(code).words
    return words, VIOLATIONS.get(describe(code), words)


def for_scripts() -> dict[str, dict[str, str]]:
    """The texts that scripts put together themselves, by language."""
    wanted = [key for key in TEXTS if key.partition(".")[0] in FOR_SCRIPTS]
    return {language: {key: TEXTS[key][at] for key in wanted} for at, language in enumerate(LANGUAGES)}
